"""From a matrix to the trials of a run: expand, let plugins change them, narrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchsuite.errors import PluginError
from benchsuite.matrix.expansion import Expansion, expand
from benchsuite.matrix.filters import narrow
from benchsuite.matrix.source import Matrix
from benchsuite.plugins import Registry
from benchsuite.spec import Trial


def select(
    matrix: Matrix,
    registry: Registry,
    filters: Mapping[str, Sequence[str]] | None = None,
    overrides: Iterable[str] = (),
) -> Expansion:
    """The trials of `matrix` after the hook `benchsuite_modify_trials` and the filters.

    Raises MatrixError, RequestError, or PluginError when a plugin puts something else than trials in.
    """
    expansion = expand(matrix, registry, overrides)
    trials = list(expansion.trials)
    registry.hook.benchsuite_modify_trials(trials=trials)
    for trial in trials:
        if not isinstance(trial, Trial):
            kind = type(trial).__name__
            raise PluginError(f"a plugin's benchsuite_modify_trials added {kind}; it may add Trial only")
    unique = tuple({trial.id: trial for trial in trials}.values())
    return narrow(Expansion(unique, expansion.skipped), filters or {}, matrix.origin)
