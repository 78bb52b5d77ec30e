"""Tests of the report: what it counts, and what a real browser makes of it."""
