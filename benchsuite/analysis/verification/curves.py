"""Curves that are there, are in order, and say what the record's scalars say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from benchsuite.analysis.epoch_times import EPOCH_SECONDS
from benchsuite.analysis.verification.evidence import Evidence, differs
from benchsuite.schema import Record, Series, Status

LOSS, NORM, UPDATE = "train/loss", "gradient/norm_before_clip", "gradient/update_ratio"


def curve_faults(found: Evidence) -> Iterator[str]:
    """What is wrong with the curves of training and validation."""
    if found.record.status not in (Status.OK, Status.DIVERGED):
        return
    for one in found.series.values():
        yield from _order(found, one)
    yield from _losses(found)
    yield from _norms(found)
    yield from _updates(found)
    yield from _validation(found)
    yield from _budget(found)


def best_epoch(record: Record, values: Sequence[float]) -> int | None:
    """The epoch, counted from 1, whose validation metric is best, the first one of equal ones; None where no
    value is finite."""
    finite = [(value, epoch) for epoch, value in enumerate(values, start=1) if math.isfinite(value)]
    if not finite:
        return None
    sign = -1.0 if record.higher_is_better else 1.0
    return min(finite, key=lambda one: (sign * one[0], one[1]))[1]


def _order(found: Evidence, one: Series) -> Iterator[str]:
    if len(one.x) != len(one.y):
        yield found.fault(f"{one.name} has {len(one.x)} places and {len(one.y)} values")
    elif any(not b > a for a, b in pairwise(one.x)):
        yield found.fault(f"the places of {one.name} do not ascend")


def _counted(found: Evidence, one: Series, count: float | None, what: str) -> Iterator[str]:
    """A fault unless the curve has a point for each of 1 to `count`."""
    if one.x != [float(n) for n in range(1, len(one.x) + 1)]:
        yield found.fault(f"{one.name} has no value for each {one.axis} from 1 on")
    if count is not None and len(one.x) != count:
        yield found.fault(f"{one.name} has {len(one.x)} values, and {what} is {count:g}")


def _losses(found: Evidence) -> Iterator[str]:
    losses = found.series.get(LOSS)
    if losses is None:
        if found.ended_well:
            yield found.fault(f"the curve {LOSS} is missing")
        return
    yield from _counted(found, losses, found.scalar("train/steps"), "train/steps")
    for name, value in (("train/loss_first", losses.y[0]), ("train/loss_final", losses.y[-1])):
        if fault := differs(found, name, value, f"the curve {LOSS} has"):
            yield fault
    if found.ended_well and not all(map(math.isfinite, losses.y)):
        yield found.fault(f"{LOSS} is not finite, and the trial is not called diverged")


def _norms(found: Evidence) -> Iterator[str]:
    recipe, norms = found.record.trial.recipe, found.series.get(NORM)
    if norms is None:
        if recipe.clip == "norm" and found.ended_well:
            yield found.fault(f"the curve {NORM} is missing")
        return
    yield from _counted(found, norms, found.scalar("train/steps"), "train/steps")
    if any(value < 0 for value in norms.y):
        yield found.fault(f"{NORM} has a negative value")
    share = float(np.mean(np.asarray(norms.y) > recipe.clip_at))
    if recipe.clip == "norm" and (
        fault := differs(found, "gradient/clipped_share", share, f"by {NORM} it is")
    ):
        yield fault


def _updates(found: Evidence) -> Iterator[str]:
    updates = found.series.get(UPDATE)
    if updates is None:
        return
    for moment, value in (("start", updates.y[0]), ("end", updates.y[-1])):
        if fault := differs(found, f"gradient/update_ratio_{moment}", value, f"the curve {UPDATE} has"):
            yield fault
    steps = found.scalar("train/steps")
    if steps is not None and not all(1 <= x <= steps for x in updates.x):
        yield found.fault(f"{UPDATE} has a step outside of training")


def _validation(found: Evidence) -> Iterator[str]:
    record = found.record
    curves = {name: one for name, one in found.series.items() if name.startswith("val/")}
    primary = curves.get(f"val/{record.primary}")
    if primary is None:
        if found.ended_well:
            yield found.fault(f"the curve val/{record.primary} is missing")
        return
    epochs = found.scalar("train/epochs")
    for one in curves.values():
        # an epoch whose loss was not finite was not validated
        validated = len(one.x) if not found.ended_well else epochs
        yield from _counted(found, one, validated, "train/epochs")
        if len(one.x) != len(primary.x):
            yield found.fault(f"{one.name} has {len(one.x)} values, and {primary.name} {len(primary.x)}")
            return
    best = best_epoch(record, primary.y)
    if best is None:
        return
    if fault := differs(found, "train/best_epoch", float(best), f"{primary.name} is best in epoch"):
        yield fault
    for one in curves.values():
        if fault := differs(found, one.name, one.y[best - 1], f"its curve has in the best epoch, {best},"):
            yield fault
    yield from _target(found, primary)
    yield from _seconds(found, primary)


def _seconds(found: Evidence, primary: Series) -> Iterator[str]:
    """The seconds at the end of each epoch ascend to those of the whole training. Records of earlier versions
    have none."""
    seconds = found.series.get(EPOCH_SECONDS)
    if seconds is None:
        return
    yield from _counted(found, seconds, float(len(primary.x)), "the number of validated epochs")
    if any(not b >= a for a, b in pairwise([0.0, *seconds.y])):
        yield found.fault(f"{seconds.name} does not ascend")
    if found.ended_well and (
        fault := differs(found, "train/seconds", seconds.y[-1], "at the end of the last epoch it is")
    ):
        yield fault
    target, higher = found.record.trial.recipe.target, found.record.higher_is_better
    if target is None:
        return
    reached = (
        second
        for second, value in zip(seconds.y, primary.y, strict=False)
        if (value >= target if higher else value <= target)
    )
    first = next(reached, None)
    if first is not None and (
        fault := differs(found, "train/time_to_target_seconds", first, "the first epoch that reached it has")
    ):
        yield fault


def _target(found: Evidence, primary: Series) -> Iterator[str]:
    target = found.record.trial.recipe.target
    if target is None:
        return
    higher = found.record.higher_is_better
    reached = any(value >= target if higher else value <= target for value in primary.y)
    if fault := differs(
        found, "train/target_reached", float(reached), f"by {primary.name} and target {target:g} it is"
    ):
        yield fault
    if reached != ("train/time_to_target_seconds" in found.record.scalars):
        told = "reached the target without a time" if reached else "has a time to a target it did not reach"
        yield found.fault(told)


def _budget(found: Evidence) -> Iterator[str]:
    """Epochs, steps and sequences as the recipe asks for them."""
    recipe = found.record.trial.recipe
    epochs, steps = found.scalar("train/epochs"), found.scalar("train/steps")
    if epochs is None or steps is None:
        return
    if epochs > recipe.epochs or (recipe.steps is not None and steps > recipe.steps):
        yield found.fault(
            f"trained for {epochs:g} epochs and {steps:g} steps, which is more than was asked for"
        )
    free = recipe.steps is None and recipe.patience is None
    if found.ended_well and free and epochs != recipe.epochs:
        yield found.fault(f"trained for {epochs:g} epochs, and {recipe.epochs} were asked for")
    if found.ended_well and recipe.steps is None and epochs and steps % epochs:
        yield found.fault(f"{steps:g} steps are no whole number of steps per epoch in {epochs:g} epochs")
    if fault := differs(
        found, "train/sequences", steps * recipe.batch_size, "steps times the batch size are"
    ):
        yield fault
