"""What is one model, what may be compared, and what a trial is called: the rules on a trial's fields.

A *model* is everything that decides what is learned: task, source, options, cell, architecture, size, recipe,
precision, and the beam that decodes the test split. The rest of a trial says how the model is *run* (backend,
device, unroll, threads, allocator), how it is *measured* (rounds, seconds, snapshots), or is the *seed*.
Seeds are the only replicates: two sizes, recipes or options are two models.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from benchsuite.schema import Record, Trial
from benchsuite.schema.fields import flatten
from benchsuite.schema.names import NO_CELL

PRECISION, BEAM = "execution.precision", "protocol.beam"

HARDWARE = (
    "hardware.cpu", "hardware.cpu_model", "hardware.instructions",
    "hardware.cores", "hardware.logical_cores", "hardware.gpu",
)  # fmt: skip
"""Facts of a record's environment that must agree before speeds are compared. Records that lack one, as
those of older versions lack the second and the third, agree with none that have it."""

IN_LABEL = (
    "task", "source", "cell", "architecture", "backend", "seed",
    "execution.unroll", "execution.device", "execution.precision",
)  # fmt: skip
"""Fields that Trial.label always holds."""


def fields(trial: Trial) -> dict[str, Any]:
    """The trial's fields by dotted path: `recipe.epochs`, `options.horizon`."""
    return dict(flatten(trial.model_dump(mode="json")))


def changes_result(path: str) -> bool:
    """Whether the field at a dotted path is part of the model: another value would learn something else."""
    if path in ("backend", "seed"):
        return False
    if path.startswith("execution."):
        return path == PRECISION
    return not path.startswith("protocol.") or path == BEAM


def changes_run(path: str) -> bool:
    """Whether the field says how a model is run or measured: backend, execution and protocol."""
    return path != "seed" and not changes_result(path)


def model_key(trial: Trial, free: Iterable[str] = ()) -> str:
    """Equal for trials of one model, whatever the backend and the seed; or of models that differ in the
    fields at the paths `free` alone."""
    without = set(free)
    return _key(fields(trial), lambda path: path not in without and changes_result(path))


def run_key(trial: Trial) -> str:
    """Equal for trials that run their models in the same way: backend, device, unroll, threads and so on."""
    return _key(fields(trial), lambda path: path == "backend" or path.startswith("execution."))


def task_key(trial: Trial) -> str:
    """Equal for trials whose metrics may be ranked together: one task, source and set of options."""
    return json.dumps([trial.task, trial.source, trial.options], sort_keys=True)


def pair_key(trial: Trial, free: Iterable[str]) -> str:
    """Equal for trials that agree in every field but those at the paths `free`, and but the fields that only
    say how much is measured."""
    without = set(free)
    return _key(
        fields(trial),
        lambda path: path not in without and (path == BEAM or not path.startswith("protocol.")),
    )


def _key(values: Mapping[str, Any], keep: Callable[[str], bool]) -> str:
    return json.dumps({path: value for path, value in values.items() if keep(path)}, sort_keys=True)


def is_convolutional_baseline(trial: Trial) -> bool:
    """Whether the model has no recurrence: it is the baseline that recurrent models are compared with."""
    return trial.cell == NO_CELL


def varying(
    trials: Sequence[Trial], counts: Callable[[str], bool], within: Callable[[Trial], Hashable]
) -> tuple[str, ...]:
    """Dotted paths for which `counts` holds and that have several values among trials of one group `within`;
    that a trial does not have the field is a value too."""
    values: dict[tuple[str, Hashable], set[str]] = {}
    having: Counter[tuple[str, Hashable]] = Counter()
    sizes: Counter[Hashable] = Counter()
    for trial in trials:
        group = within(trial)
        sizes[group] += 1
        for path, value in fields(trial).items():
            if counts(path):
                values.setdefault((path, group), set()).add(repr(value))
                having[path, group] += 1
    return tuple(
        dict.fromkeys(
            path
            for (path, group), several in values.items()
            if len(several) > 1 or having[path, group] < sizes[group]
        )
    )


def words(trial: Trial, paths: Iterable[str]) -> list[str]:
    """`unroll=fused`, `learning_rate=0.01`: the fields at `paths`, without their groups. A path that the trial
    does not have is left out."""
    values = fields(trial)
    shown = {path: "none" if values[path] is None else values[path] for path in paths if path in values}
    return [f"{path.rpartition('.')[2]}={value}" for path, value in shown.items()]


def task_title(trial: Trial, others: Iterable[Trial]) -> str:
    """`time_series / etth1 horizon=24`: with the options that tell it from others of its task and source."""
    same = [one for one in others if (one.task, one.source) == (trial.task, trial.source)]
    told = [
        f"{name}={value}"
        for name, value in trial.options.items()
        if any(other.options.get(name) != value for other in same)
    ]
    return " ".join([f"{trial.task} / {trial.source}", *told])


class Labels:
    """What the trials of one study are called: Trial.label, and whatever else differs among the trials of one
    task, source, cell and architecture, so that no two trials of a study have one label."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._told: dict[Hashable, tuple[str, ...]] = {}
        groups: dict[Hashable, dict[str, Trial]] = {}
        for trial in trials:
            groups.setdefault(_kind(trial), {})[trial.id] = trial
        for kind, members in groups.items():
            self._told[kind] = varying(
                list(members.values()), lambda path: path not in IN_LABEL, lambda _: None
            )

    def __call__(self, trial: Trial) -> str:
        """The label of a trial, also of one that was not among those given."""
        told = words(trial, self._told.get(_kind(trial), ()))
        return " ".join([trial.label, *told])


def _kind(trial: Trial) -> Hashable:
    return trial.task, trial.source, trial.cell, trial.architecture


def hardware_facts(*records: Record) -> list[str]:
    """Names of the environment's facts that tell one machine from another."""
    return sorted({name for record in records for name in record.environment if name in HARDWARE})


def foreign_hardware(pairs: Iterable[tuple[Record, Record]]) -> dict[str, tuple[str, str]]:
    """Facts of the hardware in which the two records of any pair differ: name -> (the first's, the second's).
    Speeds of such records are never compared."""
    found: dict[str, tuple[str, str]] = {}
    for a, b in pairs:
        for name in hardware_facts(a, b):
            here, there = a.environment.get(name, "?"), b.environment.get(name, "?")
            if here != there:
                found[name] = (here, there)
    return found
