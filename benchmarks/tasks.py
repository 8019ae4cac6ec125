"""A task around splits that a benchmark made itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from benchsuite.contracts import LoadedTask, Split
from benchsuite.plugins import registry


def task_of(train: Split, others: Split) -> LoadedTask:
    """The task `mnist_rows` with these splits for its own; `others` validate and test."""
    return replace(_digits(), train=train, validation=others, test=others)


@cache
def _digits() -> LoadedTask:
    entry = registry().task("mnist_rows")
    return entry.load().load("digits", entry.complete({}))
