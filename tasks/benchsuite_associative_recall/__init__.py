"""The task `associative_recall`."""
