"""The command line. Starting it imports typer alone; a command imports what it needs when it runs."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with 0, 1 (a trial failed), 2 (the request was wrong) or 130
    (interrupted, be it while the commands are still being put together)."""
    try:
        _main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


GENERATION = 50_000
"""Objects made between two garbage collections. Python's own 700 look at a growing heap a hundred times while
modules are imported: a twentieth of the time that a command takes to start."""


def _main() -> None:
    import gc
    import io
    import sys

    gc.set_threshold(GENERATION)

    from benchsuite.cli.streams import open_closed_streams

    open_closed_streams()
    from benchsuite.cli.app import app
    from benchsuite.cli.interrupts import keep_interrupts

    keep_interrupts()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks an arrow must not end a run
    app(prog_name="benchsuite")
