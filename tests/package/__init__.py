"""The functions' package: the same bytes again, nothing that it does not need, and it starts on its own."""
