"""The task `speech`."""
