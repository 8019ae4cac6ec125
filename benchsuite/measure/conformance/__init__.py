"""The conformance kit: what every backend and every task must satisfy, in one place, for anyone to run."""
