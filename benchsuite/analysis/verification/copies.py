"""Records that are copies of others: what a clock measured never comes out twice to the last digit."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from benchsuite.analysis.verification.evidence import Evidence

CLOCKED = (
    "train/seconds", "train/cpu_seconds", "speed/build_seconds", "speed/first_step_seconds",
    "speed/step_median_seconds", "speed/step_cpu_seconds", "speed/inference_median_seconds",
    "speed/transfer_median_seconds", "speed/peak_flops_per_second",
)  # fmt: skip
EQUAL_DURATIONS = 3
"""So many measured durations that are equal to the last digit make a copy; a coarse clock makes one or two."""
DISTINCT_LOSSES = 5
"""Losses that a curve needs to be like no other one."""


def copy_faults(all_found: Sequence[Evidence]) -> Iterator[str]:
    """Pairs of records of which one was copied, whole or in part, from the other.

    Every attempt counts, replaced ones too. Durations tell a copy from a trial that ran again: equal losses of
    one trial are reproduction.
    """
    told: set[tuple[int, int]] = set()
    for (a, b), count in _equal_durations(all_found).items():
        if count >= EQUAL_DURATIONS:
            told.add((a, b))
            yield f"{all_found[a].label} and {all_found[b].label} have {count} equal durations: one is a copy"
    for a, b in _equal_curves(all_found):
        if (a, b) not in told:
            yield f"{all_found[a].label} and {all_found[b].label} have equal losses, of other models or seeds"


def _equal_durations(all_found: Sequence[Evidence]) -> Counter[tuple[int, int]]:
    """Places of two records -> how many of their durations are equal."""
    holders: dict[tuple[str, float], list[int]] = defaultdict(list)
    for place, found in enumerate(all_found):
        for name in CLOCKED:
            value = found.scalar(name)
            if value:
                holders[name, value].append(place)
    pairs: Counter[tuple[int, int]] = Counter()
    for places in holders.values():
        for a, b in pairwise(places):
            pairs[a, b] += 1
    return pairs


def _equal_curves(all_found: Sequence[Evidence]) -> Iterator[tuple[int, int]]:
    """Places of two records with equal losses whose models or seeds differ."""
    first: dict[str, int] = {}
    for place, found in enumerate(all_found):
        losses = found.series.get("train/loss")
        if losses is None or len(set(losses.y)) < DISTINCT_LOSSES:
            continue
        digest = hashlib.sha256(repr(losses.y).encode()).hexdigest()
        other = first.setdefault(digest, place)
        if other != place and _lesson(all_found[other]) != _lesson(found):
            yield other, place


def _lesson(found: Evidence) -> tuple[str, int]:
    """Equal for trials that compute the same losses."""
    return found.model, found.record.trial.seed
