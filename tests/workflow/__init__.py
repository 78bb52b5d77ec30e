"""The workflow, executed: real conditions, a real queue, and the project's own write function."""
