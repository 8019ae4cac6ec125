"""What benchsuite costs and how fast its backends are, beside what its users would write instead."""
