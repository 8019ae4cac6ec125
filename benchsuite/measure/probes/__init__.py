"""Built-in probes: memory and energy of a trial."""
