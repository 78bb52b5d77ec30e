"""Audit: which writes last-writer-wins silently overwrote, from recordings of two or more Regions of any table."""
