"""From a matrix to the trials of a run: expand, let plugins change them, narrow, let plugins skip some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchsuite.errors import PluginError
from benchsuite.plugins import Registry
from benchsuite.running.matrix.expansion import Expansion, Skipped, expand
from benchsuite.running.matrix.filters import hint, narrow
from benchsuite.running.matrix.source import Matrix
from benchsuite.schema import Trial
from benchsuite.schema.texts import sentence


def select(
    matrix: Matrix,
    registry: Registry,
    filters: Mapping[str, Sequence[str]] | None = None,
    overrides: Iterable[str] = (),
    prefix: str = "--",
) -> Expansion:
    """The trials of `matrix` after the hook `benchsuite_modify_trials`, the filters and the hook
    `benchsuite_skip_trial`.

    :param prefix: what the names of options begin with, in messages.

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
    everything, ways = Expansion(unique, expansion.skipped), _additions(registry, prefix)
    narrowed = narrow(everything, filters or {}, matrix.origin, hint(prefix), ways, prefix)
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


def _additions(registry: Registry, prefix: str) -> dict[str, dict[str, str]]:
    """Field -> what is installed -> the options that add it to a matrix. A task brings its own sources."""
    return {
        "backend": {name: f"{prefix}set backend+={name}" for name in registry.backends},
        "cell": {name: f"{prefix}set cell+={name}" for name in registry.cells},
        "task": {
            name: f"{prefix}set task+={name} {prefix}set tasks.{name}.source={next(iter(entry.sources))}"
            for name, entry in registry.tasks.items()
        },
    }
