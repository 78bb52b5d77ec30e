"""The edge: Lambda functions, their settings, and the one place where everything is put together."""
