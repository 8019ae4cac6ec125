"""The command line. Starting it imports typer alone; a command imports what it needs when it runs."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with 0, 1 (a trial failed) or 2 (the request was wrong)."""
    from benchsuite.cli.app import app

    app(prog_name="benchsuite")
