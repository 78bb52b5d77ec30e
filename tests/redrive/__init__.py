"""Redrive: poison messages judged again, with faults at every effect."""
