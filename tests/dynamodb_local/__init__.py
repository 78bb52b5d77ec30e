"""Tests on the real engine: `make test-dynamodb-local`; the few without its marker need nothing of it."""
