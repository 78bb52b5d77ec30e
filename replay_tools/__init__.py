"""Offline use of the reconciler: record a stream, replay it, search random histories, watch a demo."""
