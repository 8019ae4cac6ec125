"""The task `summarisation`."""
