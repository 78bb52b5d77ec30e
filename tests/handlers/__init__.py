"""The edge: settings, what is put together, JSON, metrics, logs."""
