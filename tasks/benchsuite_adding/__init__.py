"""The task `adding`."""
