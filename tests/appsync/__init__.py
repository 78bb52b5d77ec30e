"""The optional AppSync stack: its conflict function, its schema, and the conflicts on its subscription."""
