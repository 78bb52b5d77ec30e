"""The demo: a whole Global Table in this process, played with the real handlers on real streams."""
