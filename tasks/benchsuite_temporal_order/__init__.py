"""The task `temporal_order`."""
