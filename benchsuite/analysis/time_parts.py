"""Where the time of trials went, and what of it a user pays for a trained model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchsuite.analysis.runs import Run
from benchsuite.analysis.validity import is_ranked, training_not_comparable
from benchsuite.schema import TIME_PARTS, Record, time_scalar

TO_TRAINED = ("import", "build", "compile", "training", "evaluation")
"""Parts that whoever trains a model pays, whatever it is trained with."""
OTHER_PART = "other"
"""What is in no part: the rest of the trial's wall time."""
ADDED = (*(part for part in TIME_PARTS if part not in TO_TRAINED), OTHER_PART)
"""Parts that this suite adds, in order to compare and to measure."""
IMPORT_SECONDS = "speed/import_seconds"


@dataclass(frozen=True)
class TimeParts:
    """Seconds of one trial by part: the wall clock's, which add up to the trial's, and the processor's, without
    OTHER_PART."""

    wall: Mapping[str, float]
    cpu: Mapping[str, float]

    @property
    def to_trained(self) -> float:
        """Wall seconds of TO_TRAINED."""
        return math.fsum(self.wall[part] for part in TO_TRAINED)


def time_parts(record: Record) -> TimeParts | None:
    """The parts of a trial's time; None where its record has none, as those of earlier versions and of trials
    that did not come to their end."""
    scalars = record.scalars
    wall = {part: scalars[time_scalar(part)] for part in TIME_PARTS if time_scalar(part) in scalars}
    if len(wall) < len(TIME_PARTS) or not all(math.isfinite(value) for value in wall.values()):
        return None
    cpu = {part: scalars.get(time_scalar(part, cpu=True), math.nan) for part in TIME_PARTS}
    rest = record.finished - record.started - math.fsum(wall.values())
    return TimeParts(wall | {OTHER_PART: max(0.0, rest)}, cpu)


@dataclass(frozen=True)
class SharedTime:
    """The time of one backend, summed over trials that all backends of a comparison have.

    wall, cpu  seconds by part. `import` is counted once, as in one process that trains all of these models
    """

    backend: str
    trials: int
    wall: Mapping[str, float]
    cpu: Mapping[str, float]

    @property
    def to_trained(self) -> float:
        """Wall seconds of TO_TRAINED."""
        return math.fsum(self.wall[part] for part in TO_TRAINED)

    @property
    def to_trained_cpu(self) -> float:
        """Processor seconds of TO_TRAINED without the import, which may have been in no trial."""
        return math.fsum(self.cpu[part] for part in TO_TRAINED[1:])

    @property
    def added(self) -> float:
        """Wall seconds of ADDED."""
        return math.fsum(self.wall[part] for part in ADDED)


@dataclass(frozen=True)
class SharedTimes:
    """`backends`: each one's time over the same trials; `left_out`: backends that have none of these."""

    backends: tuple[SharedTime, ...]
    left_out: tuple[str, ...] = ()


_Trials = dict[tuple[int, int], tuple[Record, TimeParts]]
"""(identity of a model, seed) -> the record that counts."""


def shared_times(runs: Sequence[Run], order: Iterable[str]) -> SharedTimes:
    """What each backend took over the trials (models and seeds) that all of them ran; backends in the order of
    `order`.

    Of several ways in which a backend ran a trial the one that was trained soonest counts. Where no trial is of
    all backends, one after the other is left out, the one without which the others share the most. Only ranked
    trials count whose seconds of training can be compared.
    """
    known: dict[str, _Trials] = {name: {} for name in order}
    for run in runs:
        for record in run.aggregate.records:
            found = time_parts(record)
            if found is None or not is_ranked(record) or training_not_comparable(record):
                continue
            trials = known.setdefault(run.backend, {})
            key = id(run.model), record.trial.seed
            if key not in trials or found.to_trained < trials[key][1].to_trained:
                trials[key] = record, found
    known = {name: trials for name, trials in known.items() if trials}
    left_out: list[str] = []
    while len(known) > 1 and not _shared(known):
        rest = {name: {other: known[other] for other in known if other != name} for name in known}
        least = max(known, key=lambda name: (len(_shared(rest[name])), -len(known[name])))
        left_out.append(least)
        del known[least]
    shared = _shared(known)
    return SharedTimes(
        tuple(_summed(name, [trials[key] for key in shared]) for name, trials in known.items()),
        tuple(left_out),
    )


def _shared(known: Mapping[str, _Trials]) -> set[tuple[int, int]]:
    """The trials that all of them have."""
    return set.intersection(*(set(trials) for trials in known.values())) if known else set()


def _summed(backend: str, trials: Sequence[tuple[Record, TimeParts]]) -> SharedTime:
    wall = {part: math.fsum(found.wall[part] for _, found in trials) for part in (*TIME_PARTS, OTHER_PART)}
    cpu = {part: math.fsum(found.cpu[part] for _, found in trials) for part in TIME_PARTS}
    imports = [record.scalars[IMPORT_SECONDS] for record, _ in trials if IMPORT_SECONDS in record.scalars]
    wall["import"] = median(imports) if imports else wall["import"]
    return SharedTime(backend, len(trials), wall, cpu)
