"""Every conflict accounted for: its id, its event, its history, and who tells them."""
