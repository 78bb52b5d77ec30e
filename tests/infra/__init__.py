"""The templates, as far as a machine without AWS can check them."""
