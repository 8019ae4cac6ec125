"""What users of each framework would write: stand-alone code, a module a framework."""
