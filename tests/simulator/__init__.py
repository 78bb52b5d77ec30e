"""The simulator, tested by hand-made histories, by what it finds, and by what it must find."""
