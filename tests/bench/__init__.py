"""The bench: what this worker costs, measured against what a user would write, and how the cost grows."""
