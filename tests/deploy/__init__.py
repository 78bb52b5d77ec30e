"""The deployment: what is printed is what is run, and what runs is looked at."""
