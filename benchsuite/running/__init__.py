"""How trials come to be run: matrices, executors, the store, studies and races."""
