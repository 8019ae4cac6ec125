"""From a matrix to the trials of a run: expand, let plugins change them, narrow, let plugins skip some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchsuite.errors import PluginError, UnknownNameError
from benchsuite.plugins import Registry
from benchsuite.running.matrix.expansion import Expansion, Skipped, expand
from benchsuite.running.matrix.filters import hint, narrow
from benchsuite.running.matrix.source import Matrix
from benchsuite.schema import BEST_UNROLL, UNROLLS, Trial
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

    Unroll `best` stands for every unroll: a filter by unroll turns a trial that asks for it into one of the
    unroll that is named.

    :param prefix: what the names of options begin with, in messages.

    Raises MatrixError, RequestError, UnknownNameError, or PluginError when a plugin fails or puts something
    else than trials in.
    """
    expansion = expand(matrix, registry, overrides)
    trials = list(expansion.trials)
    registry.ask("benchsuite_modify_trials", trials=trials)
    for trial in trials:
        if not isinstance(trial, Trial):
            kind = type(trial).__name__
            raise PluginError(f"a plugin's benchsuite_modify_trials added {kind}; it may add Trial only")
    unique = tuple({trial.id: trial for trial in trials}.values())
    everything = _named_unrolls(Expansion(unique, expansion.skipped), (filters or {}).get("unroll", ()))
    ways = _additions(registry, prefix)
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


def _named_unrolls(expansion: Expansion, unrolls: Sequence[str]) -> Expansion:
    """`expansion` with each trial of unroll `best` replaced by one for each of `unrolls`, each id once. Raises
    UnknownNameError."""
    everything = [*expansion.trials, *(skip.trial for skip in expansion.skipped)]
    unrolls = [unrolls] if isinstance(unrolls, str) else unrolls
    if not unrolls or all(trial.execution.unroll != BEST_UNROLL for trial in everything):
        return expansion
    for name in unrolls:
        if name not in (BEST_UNROLL, *UNROLLS):
            raise UnknownNameError("unroll", name, (BEST_UNROLL, *UNROLLS))

    def named(trial: Trial) -> list[Trial]:
        fields = trial.execution.model_dump()
        if fields["unroll"] != BEST_UNROLL:
            return [trial]
        return [trial.model_copy(update={"execution": {**fields, "unroll": name}}) for name in unrolls]

    trials = {one.id: one for trial in expansion.trials for one in named(trial)}
    skipped = {one.id: Skipped(one, skip.reason) for skip in expansion.skipped for one in named(skip.trial)}
    return Expansion(tuple(trials.values()), tuple(skipped.values()))
