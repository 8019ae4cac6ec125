"""The task `language`."""
