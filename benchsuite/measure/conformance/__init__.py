"""The conformance kit: what every backend and every task must satisfy, written once, run by anyone."""
