"""`--set` on a trial that exists already."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.analysis.identity import fields
from benchsuite.plugins import Registry
from benchsuite.running.matrix.expansion import Expansion, expand
from benchsuite.running.matrix.source import Matrix
from benchsuite.schema import Trial
from benchsuite.schema.names import NO_CELL


def changed(trial: Trial, registry: Registry, overrides: Sequence[str], origin: str) -> Expansion:
    """What a matrix of this trial alone gives with `overrides` (`FIELD=VALUE`, `FIELD+=VALUE`).

    :param origin: what a message calls it.

    Raises MatrixError with every problem and its place.
    """
    own = {path: value for path, value in fields(trial).items() if (path, value) != ("cell", NO_CELL)}
    return expand(Matrix("trial", {"include": [own]}, origin), registry, overrides)
