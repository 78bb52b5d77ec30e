"""The algebra: stamps, ledger, join, and their wire form."""
