"""The item format for writers in any language: the page, its vectors, and what the code does, kept equal."""
