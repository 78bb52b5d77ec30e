"""What the audit finds, held against what a simulated Global Table knows that it lost."""
