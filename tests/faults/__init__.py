"""Faults: what happens, what the user sees, what is lost (nothing)."""
