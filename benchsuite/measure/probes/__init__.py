"""Built-in probes: what a trial costs besides its own figures."""
