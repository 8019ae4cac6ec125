"""The task `state_tracking`."""
