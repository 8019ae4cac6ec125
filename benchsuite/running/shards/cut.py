"""How trials are cut into shards: the same on every machine, balanced, tasks and backends together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from benchsuite.running.matrix import Expansion
from benchsuite.running.shards.shard import Shard
from benchsuite.schema import Trial


@dataclass(frozen=True)
class Cut:
    """The trial ids of each part. Every trial is in one part; a part may be empty."""

    parts: tuple[tuple[str, ...], ...]

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits: equal for cuts into the same parts."""
        text = "\n".join(",".join(sorted(part)) for part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def part(self, shard: Shard) -> frozenset[str]:
        """The trials of a shard, which must be of as many parts."""
        assert shard.count == len(self.parts)
        return frozenset(self.parts[shard.index - 1])


def cut_trials(trials: Sequence[Trial], count: int, weight: Callable[[Trial], int]) -> Cut:
    """Cut trials into `count` parts.

    The trials are put in an order in which those of one task and backend are neighbours, and that order is cut
    where the weights before it reach the next multiple of their mean per part. A worker that is warm and data
    that are loaded then serve as many trials as they can, and no part weighs more than the mean and one trial.
    Neither the order of `trials` nor the machine matters.

    :param weight: what a trial counts, a whole number: sums of floats could depend on their order.
    """
    ordered = sorted(trials, key=_together)
    weights = [max(1, weight(trial)) for trial in ordered]
    total = sum(weights)
    parts: list[list[str]] = [[] for _ in range(count)]
    before = 0
    for trial, own in zip(ordered, weights, strict=True):
        # the part in which the middle of the trial's weight lies
        parts[(2 * before + own) * count // (2 * total)].append(trial.id)
        before += own
    return Cut(tuple(tuple(part) for part in parts))


def _together(trial: Trial) -> tuple[str, ...]:
    options = json.dumps(trial.options, sort_keys=True)
    return trial.task, trial.source, options, trial.backend, trial.execution.device, trial.id


def take(expansion: Expansion, ids: Set[str]) -> Expansion:
    """The trials, and the skipped ones, whose ids are among `ids`, in running order."""
    return Expansion(
        tuple(trial for trial in expansion.trials if trial.id in ids),
        tuple(skip for skip in expansion.skipped if skip.trial.id in ids),
    )
