"""Streams that a real engine made, and tests that run them."""
