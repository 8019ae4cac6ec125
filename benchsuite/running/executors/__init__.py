"""Where trials run. The local executor is a plugin like any other."""
