"""The task `translation`."""
