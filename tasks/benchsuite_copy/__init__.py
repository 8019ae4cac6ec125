"""The task `copy`."""
