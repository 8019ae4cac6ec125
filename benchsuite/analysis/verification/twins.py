"""Records of one model and one seed: every backend computes the same, from the same weights and batches."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from statistics import median_low

from benchsuite.analysis.verification.evidence import Evidence, same
from benchsuite.analysis.verification.parity_figures import widened_backward, widened_forward
from benchsuite.schema.thresholds import TOLERANCES

STEPS_OF_TWINS = 10
"""Losses from the first step on that are compared. Rounding grows with the steps: `loss_10` is the tolerance of
ten."""
SIDES = 2.0
"""Two records may each be off by the tolerance, to either side."""
EQUAL_COUNTS = (
    "model/parameters", "train/sequences", "speed/flops_per_step", "speed/padding_share",
)  # fmt: skip
"""Scalars that follow from the model, its recipe and its batches, whoever runs it. The share of gradients that
are exactly zero is none of them: whether a tiny one is rounded to zero differs between backends at parity."""
FIRST_GRADIENT = ("gradient/norm_start", "gradient/maximum_start")
"""Scalars of the first backward pass, which has parity."""
COUNTS = (
    ("speed/sequences_per_second", "speed/step_median_seconds"),
    ("speed/time_steps_per_second", "speed/step_median_seconds"),
    ("speed/inference_peak_share", "speed/inference_median_seconds"),
)
"""A rate, and the seconds that it is per: their product is a count of the batches that are timed."""


def twin_faults(all_found: Sequence[Evidence]) -> Iterator[str]:
    """Where records of one model and seed say something different that no backend can change."""
    groups: dict[tuple[str, int], list[Evidence]] = defaultdict(list)
    for found in all_found:
        if found.ended_well:
            groups[found.model, found.record.trial.seed].append(found)
    for twins in groups.values():
        if len(twins) > 1:
            yield from _losses(twins)
            yield from _start(twins)
            yield from _equal(twins)


def has_twins(all_found: Sequence[Evidence]) -> bool:
    """Whether any model was run with one seed by more than one record."""
    keys = [(one.model, one.record.trial.seed) for one in all_found if one.ended_well]
    return len(set(keys)) < len(keys)


def _middle(twins: Sequence[Evidence], figure: Callable[[Evidence], float | None]) -> float | None:
    """The middle one of the twins' figures; one that was changed is not the middle of three."""
    found = [value for one in twins if (value := figure(one)) is not None and math.isfinite(value)]
    return median_low(found) if len(found) > 1 else None


def _losses(twins: Sequence[Evidence]) -> Iterator[str]:
    told: set[str] = set()
    for step in range(STEPS_OF_TWINS):

        def loss(one: Evidence, step: int = step) -> float | None:
            curve = one.series.get("train/loss")
            return curve.y[step] if curve is not None and step < len(curve.y) else None

        expected = _middle(twins, loss)
        for one in twins:
            value = loss(one)
            if expected is None or value is None or one.label in told:
                continue
            tolerance = TOLERANCES[one.record.trial.execution.precision].loss_10 * widened_forward(one)
            if not abs(value - expected) <= SIDES * tolerance * abs(expected):
                told.add(one.label)
                yield one.fault(
                    f"the loss of step {step + 1} is {value:.7g}; other records of the model and seed have "
                    f"{expected:.7g}"
                )


def _start(twins: Sequence[Evidence]) -> Iterator[str]:
    for name in FIRST_GRADIENT:
        expected = _middle(twins, lambda one, name=name: one.scalar(name))  # type: ignore[misc]
        for one in twins:
            value = one.scalar(name)
            tolerance = TOLERANCES[one.record.trial.execution.precision].gradients * widened_backward(one)
            if expected is None or value is None:
                continue
            if not abs(value - expected) <= SIDES * tolerance * abs(expected):
                yield one.fault(
                    f"{name} is {value:.7g}; other records of the model and seed have {expected:.7g}"
                )


def _equal(twins: Sequence[Evidence]) -> Iterator[str]:
    """Counts and baselines."""
    figures: list[tuple[str, Callable[[Evidence], float | None]]] = [
        (name, lambda one, name=name: one.scalar(name))  # type: ignore[misc]
        for name in EQUAL_COUNTS
    ]
    figures += [(rate, lambda one, rate=rate, per=per: _count(one, rate, per)) for rate, per in COUNTS]  # type: ignore[misc]
    for name, figure in figures:
        expected = _middle(twins, figure)
        for one in twins:
            value = figure(one)
            if value is not None and expected is not None and not same(value, expected):
                yield one.fault(f"{name} does not fit: others of the model and seed have another count")


def _count(found: Evidence, rate: str, per: str) -> float | None:
    value, seconds = found.scalar(rate), found.scalar(per)
    if value is None or seconds is None:
        return None
    if rate.endswith("peak_share"):
        value *= found.scalar("speed/peak_flops_per_second") or math.nan
    return value * seconds
