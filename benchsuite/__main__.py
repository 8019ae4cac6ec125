"""`python -m benchsuite` is the command `benchsuite`."""

from benchsuite.cli import main

main()
