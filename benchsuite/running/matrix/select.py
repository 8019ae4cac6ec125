"""From a matrix to the trials of a run: expand, let plugins change them, narrow, let plugins skip some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchsuite.errors import PluginError
from benchsuite.plugins import Registry
from benchsuite.running.matrix.expansion import Expansion, Skipped, expand
from benchsuite.running.matrix.filters import narrow
from benchsuite.running.matrix.source import Matrix
from benchsuite.schema import Trial
from benchsuite.schema.texts import sentence


def select(
    matrix: Matrix,
    registry: Registry,
    filters: Mapping[str, Sequence[str]] | None = None,
    overrides: Iterable[str] = (),
) -> Expansion:
    """The trials of `matrix` after the hook `benchsuite_modify_trials`, the filters and the hook
    `benchsuite_skip_trial`.

    Raises MatrixError, RequestError, or PluginError when a plugin fails or puts something else than trials
    in.
    """
    expansion = expand(matrix, registry, overrides)
    trials = list(expansion.trials)
    registry.ask("benchsuite_modify_trials", trials=trials)
    for trial in trials:
        if not isinstance(trial, Trial):
            kind = type(trial).__name__
            raise PluginError(f"a plugin's benchsuite_modify_trials added {kind}; it may add Trial only")
    unique = tuple({trial.id: trial for trial in trials}.values())
    narrowed = narrow(Expansion(unique, expansion.skipped), filters or {}, matrix.origin)
    reasons = {trial.id: registry.ask("benchsuite_skip_trial", trial=trial) for trial in narrowed.trials}
    return Expansion(
        tuple(trial for trial in narrowed.trials if reasons[trial.id] is None),
        narrowed.skipped
        + tuple(
            Skipped(trial, sentence(reasons[trial.id]))
            for trial in narrowed.trials
            if reasons[trial.id] is not None
        ),
    )
