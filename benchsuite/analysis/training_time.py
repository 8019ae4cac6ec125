"""How long training takes from its start, beside how fast its steps are once they run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchsuite.analysis.seeds import Aggregate, Estimate, estimate
from benchsuite.analysis.validity import is_ranked, seconds, training_not_comparable
from benchsuite.schema import Record


@dataclass(frozen=True)
class TrainingTime:
    """Wall seconds of one trial until its model was trained.

    imported   importing the framework; once per process, so that it is kept apart
    built      building the program
    compiled   of `trained`: the first step beyond a later one, which is compilation where there is any
    trained    all training steps, compilation included, evaluation and gradient statistics not
    steps      optimiser steps
    """

    imported: float
    built: float
    compiled: float
    trained: float
    steps: int

    @property
    def to_trained(self) -> float:
        """Seconds from the start to the trained model, the import of the framework apart."""
        return self.built + self.trained


def training_time(record: Record) -> TrainingTime | None:
    """The seconds of a ranked record; None where it has not all of them, or other trials slowed it down or had
    compiled what it ran."""
    if not is_ranked(record) or training_not_comparable(record):
        return None
    names = ("speed/import_seconds", "speed/build_seconds", "train/seconds", "train/steps")
    imported, built, trained, steps = (record.scalars.get(name, math.nan) for name in names)
    if not all(math.isfinite(value) for value in (imported, built, trained, steps)):
        return None
    first = record.scalars.get("speed/first_step_seconds", math.nan)
    step = seconds(record, by="wall") or 0.0
    compiled = max(0.0, first - step) if math.isfinite(first) else 0.0
    return TrainingTime(imported, built, min(compiled, trained), trained, int(steps))


def seconds_to_trained(run: Aggregate) -> Estimate | None:
    """Seconds from the start to trained over the seeds of a run; None where no seed has them."""
    found = [time.to_trained for record in run.records if (time := training_time(record)) is not None]
    return estimate(found) if found else None


def break_even(faster: Aggregate, other: Aggregate) -> float | None:
    """From how many optimiser steps on the run with the faster steps is trained sooner than the other one: 0
    where it is from the first step on, infinite where its steps are not faster, None where a figure is missing.

    Both are runs of one model, compared by the wall time that they take before and per step. A run of n steps
    takes fixed + n * step seconds; `fixed` is what it took to be trained less its steps. The faster steps pay
    from n = (fixed_a - fixed_b) / (step_b - step_a) on.
    """
    a, b = _costs(faster), _costs(other)
    if a is None or b is None:
        return None
    gained = b[1] - a[1]
    if gained <= 0:
        return math.inf
    return max(0.0, (a[0] - b[0]) / gained)


def _costs(run: Aggregate) -> tuple[float, float] | None:
    """(seconds before and beside the steps, seconds per step), means over seeds."""
    found = []
    for record in run.records:
        time, step = training_time(record), seconds(record, by="wall")
        if time is not None and step is not None:
            found.append((time.to_trained - time.steps * step, step))
    if not found:
        return None
    return math.fsum(one[0] for one in found) / len(found), math.fsum(one[1] for one in found) / len(found)
