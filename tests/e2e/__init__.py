"""The deployment as a whole, on ministack: `make e2e`."""
