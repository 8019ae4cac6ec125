"""The task `selective_copy`."""
