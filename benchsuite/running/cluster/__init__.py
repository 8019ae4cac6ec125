"""Executors for clusters: shards of a study run on nodes, their journals are read as they are written."""
