"""What records mean. Every rule that reads a record has its one home here; nothing here runs a trial."""
