"""What a task's records answer: which model is best, what cannot be told from it, who runs it fastest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.analysis.comparison.effects import ALPHA, LEAST_REPLICATES, pooled
from benchsuite.analysis.ranking import SPEED, Model
from benchsuite.analysis.ranking import Section as Ranking
from benchsuite.analysis.seeds import Aggregate

CLOSE = 1.05
"""Ratio of speeds below which two backends are called about as fast."""
BOUNDS = ("true_entropy", "true_source")
"""Names under which tasks give, among their baselines, what no model can go beyond."""


@dataclass(frozen=True)
class Answer:
    """Of one ranking.

    best        the first model that is no baseline, or the first of all where there is no other
    alike       models that a test over seeds cannot tell from the best one
    worse       models that it can
    untested    models with too few seeds in common with the best one
    seeds       seeds of the best model
    next_best   the model that follows it in the ranking
    """

    best: Model
    alike: tuple[Model, ...]
    worse: tuple[Model, ...]
    untested: tuple[Model, ...]
    seeds: int
    next_best: Model | None


def answer(ranking: Ranking) -> Answer | None:
    """Hold every model to the best one by a paired test over their common seeds (Student's t). None where no
    model has a result that is a number.

    The best model is chosen by the values that it is then tested on, so that p-values are corrected for all
    pairs of models, and not only for those with the best one (Holm 1979, each multiplier as if the pairs that
    are not tested came after): with nine equal models the chance of any false alarm would else be 8 to 14 %.
    """
    models = [model for model in ranking.models if model.metric and math.isfinite(model.metric.mean)]
    if not models:
        return None
    best, others = models[0], models[1:]
    own = seed_values(best.best, ranking.metric)
    tested, untested = [], []
    for model in others:
        values = seed_values(model.best, ranking.metric)
        common = [(own[seed], values[seed]) for seed in own if seed in values]
        if len(common) < LEAST_REPLICATES:
            untested.append(model)
        else:
            tested.append((model, common))
    told = _apart(
        [
            pooled(ranking.metric, model.name, pairs, higher_is_better=ranking.higher_is_better, margin=0.0).p
            for model, pairs in tested
        ],
        len(models) * (len(models) - 1) // 2,
    )
    return Answer(
        best,
        tuple(model for (model, _), apart in zip(tested, told, strict=True) if not apart),
        tuple(model for (model, _), apart in zip(tested, told, strict=True) if apart),
        tuple(untested),
        len(own),
        others[0] if others else None,
    )


def _apart(ps: Sequence[float], comparisons: int) -> list[bool]:
    """Which p-values are below 5 % when corrected for so many comparisons."""
    order = sorted(range(len(ps)), key=lambda at: ps[at])
    found, largest = [False] * len(ps), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, (comparisons - rank) * ps[at])
        found[at] = largest < ALPHA
    return found


def seed_values(run: Aggregate, metric: str) -> dict[int, float]:
    """Seed -> the metric on the test split, where it is a number."""
    found = {record.trial.seed: record.scalars.get(f"test/{metric}", math.nan) for record in run.records}
    return {seed: value for seed, value in found.items() if math.isfinite(value)}


def speed_of(run: Aggregate) -> float | None:
    """Training speed in sequences a second; None where there is none, or none that may be believed."""
    speed = run.scalars.get(SPEED)
    if speed is None or not math.isfinite(speed.mean) or "unsynchronised" in run.verdict("speed"):
        return None
    return speed.mean


def unsteady(run: Aggregate) -> bool:
    """Whether any of its timings was not steady."""
    return run.verdict("speed") not in ("stable", "")


@dataclass(frozen=True)
class Fastest:
    """Who runs a model fastest, and how much faster than whoever follows; `second` is None for one alone."""

    first: Aggregate
    speed: float
    second: Aggregate | None
    ratio: float


def fastest(model: Model) -> Fastest | None:
    """The order of the model's runs by speed; None where no run has a speed."""
    known = [(speed, run) for run in model.runs if (speed := speed_of(run)) is not None]
    if not known:
        return None
    (speed, first), *others = known
    if not others:
        return Fastest(first, speed, None, 1.0)
    return Fastest(first, speed, others[0][1], speed / others[0][0])


def better(a: float, b: float, ranking: Ranking) -> bool:
    """Whether the metric's value `a` is better than `b`."""
    return a > b if ranking.higher_is_better else a < b


def best_baseline(ranking: Ranking) -> tuple[str, float] | None:
    """The best of the baselines that were computed, not trained; bounds are none."""
    known = [
        (name, value)
        for name, value in ranking.baselines.items()
        if math.isfinite(value) and name not in BOUNDS
    ]
    if not known:
        return None
    return sorted(known, key=lambda one: -one[1] if ranking.higher_is_better else one[1])[0]


def pareto(points: Sequence[tuple[float, float]], higher_is_better: bool) -> list[int]:
    """Places of the points (speed, metric) that no other point beats in both, the fastest first."""
    sign = -1.0 if higher_is_better else 1.0
    order = sorted(range(len(points)), key=lambda at: (-points[at][0], sign * points[at][1]))
    front: list[int] = []
    lowest = math.inf
    for at in order:
        loss = sign * points[at][1]
        if loss < lowest:
            front.append(at)
            lowest = loss
    return front
