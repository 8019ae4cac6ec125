"""Standard streams that are closed, or whose reader goes away: a study goes on without them."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import TextIO, TypeVar

EventT = TypeVar("EventT")


def open_closed_streams() -> None:
    """Open the standard descriptors that the caller has closed (`>&-`): otherwise the first file that is opened
    would be standard output, and Python has no stream to print to."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w", closefd=False))


def give_up_stream(stream: TextIO) -> None:
    """What is still in the buffer cannot be written; Python would try once more at its end and complain."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def unstoppable(listen: Callable[[EventT], None]) -> Callable[[EventT], None]:
    """`listen`, which prints, so that a stream that cannot be written any more costs what is printed alone.

    That the reader has gone (`run | head -1`) is as it was meant; anything else is said on standard error.
    """

    def heard(event: EventT) -> None:
        try:
            listen(event)
        except OSError as error:
            for stream in (sys.__stdout__, sys.__stderr__):
                if stream is not None and not _flushes(stream):
                    give_up_stream(stream)
            if error.errno != errno.EPIPE:
                with contextlib.suppress(OSError):
                    print(f"warning: {error}; the study goes on", file=sys.__stderr__, flush=True)

    return heard


def _flushes(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        return False
    return True
