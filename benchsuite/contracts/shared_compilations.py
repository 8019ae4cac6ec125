"""Compiled code that trials share: those that differ in their seed alone, where a variable asks for it."""

from __future__ import annotations

import os

SHARING_VARIABLE = "BENCHSUITE_SHARE_COMPILED"
"""With 1, a worker does not release what it compiled for a trial when the next one differs in its seed alone.
It is no field of the trial: what is trained does not depend on it."""

REUSED_NOTE = "compilations_reused"
"""A program's note (Program.notes): how many compiled functions it was given by programs of earlier
trials. Where it is not 0, its seconds of training are not those of a trial that compiles for itself."""


def is_sharing_asked() -> bool:
    """Whether this process is to keep compiled code from one trial to the next of its configuration."""
    return os.environ.get(SHARING_VARIABLE) == "1"
