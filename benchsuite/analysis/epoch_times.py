"""When the epochs of a trial ended: how its metric grew over seconds, not over epochs alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.analysis.training_time import training_time
from benchsuite.schema import Record, Series
from benchsuite.schema.record import Axis

EPOCH_SECONDS = "train/seconds"
"""Name of the curve of the seconds that training had taken at the end of each epoch."""


@dataclass(frozen=True)
class EpochTimes:
    """The ends of the epochs of one trial.

    seconds   wall seconds from the start (the import of the framework apart, building included) to the end of
              each epoch; evaluation and gradient statistics are not counted
    steps     optimiser steps by then
    measured  False where the record has no times of its own epochs: after the first step, every step then
              counts as equally long
    """

    seconds: tuple[float, ...]
    steps: tuple[float, ...]
    measured: bool


def epoch_times(record: Record, curves: Sequence[Series]) -> EpochTimes | None:
    """The ends of a ranked record's epochs; None where the record does not say how long training took.

    :param curves: of the record.
    """
    time = training_time(record)
    epochs = record.scalars.get("train/epochs", math.nan)
    if time is None or not math.isfinite(epochs) or epochs < 1:
        return None
    count = int(epochs)
    steps = tuple(time.steps * end / count for end in range(1, count + 1))
    own = next((one.y for one in curves if one.name == EPOCH_SECONDS), None)
    if own is not None and len(own) == count:
        return EpochTimes(tuple(time.built + value for value in own), steps, True)
    running = time.trained - time.compiled
    seconds = tuple(time.built + time.compiled + running * end / count for end in range(1, count + 1))
    return EpochTimes(seconds, steps, False)


def seconds_until(record: Record, times: EpochTimes, axis: Axis, x: float) -> float | None:
    """Wall seconds from the start of a trial, the import of the framework included, to its optimiser step or
    epoch number `x`: within an epoch all steps are taken to be equally long, but for the first one of all.
    None for another axis, and where a figure is missing.

    :param times: of the record's epochs.
    """
    time = training_time(record)
    if time is None or axis not in ("step", "epoch"):
        return None
    ends = list(zip(times.steps, times.seconds, strict=True))
    first = record.scalars.get("speed/first_step_seconds", math.nan)
    if math.isfinite(first) and times.steps[0] > 1 and time.built + first < times.seconds[0]:
        ends.insert(0, (1.0, time.built + first))
    ends.insert(0, (0.0, time.built))
    step = x if axis == "step" else x * time.steps / len(times.steps)
    at = next((place for place, (end, _) in enumerate(ends[1:], 1) if step <= end), len(ends) - 1)
    (left, begun), (right, ended) = ends[at - 1], ends[at]
    share = min(max((step - left) / (right - left), 0.0), 1.0)
    return time.imported + begun + share * (ended - begun)
