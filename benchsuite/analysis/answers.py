"""What a ranking answers: which model is best, what cannot be told from it, who runs it fastest, and who has it
trained first."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.analysis.comparison.effects import LEAST_REPLICATES, pooled
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import ALPHA, Aggregate, holm, student_quantile
from benchsuite.analysis.training_time import break_even, seconds_to_trained

POWER = 0.8
"""Chance of finding a difference that is there, with which the number of seeds is planned."""
MOST_SEEDS = 1000
"""A difference that would take more seeds than this is called none that seeds could show."""


@dataclass(frozen=True)
class Indistinct:
    """A model that a test over seeds does not tell from the best one.

    n       seeds that both have
    needed  seeds with which a difference as large as the one seen would be found four times out of five; None
            where the seen difference is too small for that
    """

    model: Model
    n: int
    needed: int | None


@dataclass(frozen=True)
class Answer:
    """Of one ranking.

    best        the first model that is a number
    alike       models that a test over seeds does not tell from the best one
    worse       models that it does
    untested    models with too few seeds in common with the best one
    seeds       seeds of the best model
    next_best   the model that follows it in the ranking
    """

    best: Model
    alike: tuple[Indistinct, ...]
    worse: tuple[Model, ...]
    untested: tuple[Model, ...]
    seeds: int
    next_best: Model | None


def answer(ranking: Ranking) -> Answer | None:
    """Compare every model with the best one by a paired test over their common seeds (Student's t). None
    where no model has a result that is a number.

    The best model is chosen by the values that it is then tested on, so that p-values are corrected for all
    pairs of models, and not only for those with the best one (Holm 1979, each multiplier as if the pairs that
    are not tested came after): with nine equal models the chance of any false alarm would else be 8 to 14 %.
    """
    models = [model for model in ranking.models if model.metric and math.isfinite(model.metric.mean)]
    if not models:
        return None
    best, others = models[0], models[1:]
    tested: list[tuple[Model, list[tuple[float, float]]]] = []
    untested = []
    for model in others:
        common = common_seeds(best, model)
        if len(common) < LEAST_REPLICATES:
            untested.append(model)
        else:
            tested.append((model, common))
    ps = [
        pooled(ranking.metric, model.name, [pairs], higher_is_better=ranking.higher_is_better, margin=0.0).p
        for model, pairs in tested
    ]
    corrected = holm(ps, len(models) * (len(models) - 1) // 2)
    told = [p < ALPHA for p in corrected]
    return Answer(
        best,
        tuple(
            Indistinct(model, len(pairs), seeds_needed(pairs))
            for (model, pairs), apart in zip(tested, told, strict=True)
            if not apart
        ),
        tuple(model for (model, _), apart in zip(tested, told, strict=True) if apart),
        tuple(untested),
        len(best.seed_values),
        others[0] if others else None,
    )


def common_seeds(a: Model, b: Model) -> list[tuple[float, float]]:
    """The metric of both models for every seed that both have, where both values are numbers."""
    return [
        (value, b.seed_values[seed])
        for seed, value in a.seed_values.items()
        if seed in b.seed_values and math.isfinite(value) and math.isfinite(b.seed_values[seed])
    ]


def seeds_needed(pairs: Sequence[tuple[float, float]]) -> int | None:
    """The seeds with which a paired t test at 5 % finds a mean difference as large as the one of `pairs` with a
    power of 80 %: the least n with n >= ((t(.975, n - 1) + t(.8, n - 1)) s / d)^2. None above MOST_SEEDS.

    :param pairs: at least two pairs of values.
    """
    differences = np.diff(np.array(pairs, np.float64), axis=1)[:, 0]
    mean, spread = abs(float(np.mean(differences))), float(np.std(differences, ddof=1))
    if mean == 0 or mean < spread / math.sqrt(MOST_SEEDS):
        return None

    def is_enough(n: int) -> bool:
        t = student_quantile(n - 1, 1 - ALPHA) + student_quantile(n - 1, 2 * POWER - 1)
        return n >= (t * spread / mean) ** 2

    # the quantiles fall as n grows, so that everything above the first n that is enough is enough
    found = bisect_left(range(LEAST_REPLICATES, MOST_SEEDS + 1), True, key=is_enough)
    return LEAST_REPLICATES + found if LEAST_REPLICATES + found <= MOST_SEEDS else None


@dataclass(frozen=True)
class FastestSteps:
    """Who runs a model's steps fastest, in sequences per second, and how many times as fast as the next one;
    `second` is None where nobody else has a valid timing."""

    first: Aggregate
    speed: float
    second: Aggregate | None
    ratio: float


def fastest_steps(model: Model) -> FastestSteps | None:
    """The order of the model's runs by speed, by the model's clock; None where no run has a valid timing."""
    known = [(speed, run) for run in model.runs if (speed := model.speed(run)) is not None]
    if not known:
        return None
    (speed, first), *others = known
    if not others:
        return FastestSteps(first, speed, None, 1.0)
    return FastestSteps(first, speed, others[0][1], speed / others[0][0])


@dataclass(frozen=True)
class SoonestTrained:
    """Who has a model trained first, in seconds from the start with the framework's import apart.

    alone      whether no other run says how long it took
    pays_from  optimiser steps from which the run with the fastest steps is trained sooner than this one; None
               where it is the same run or a figure is missing, infinite where it never is
    """

    first: Aggregate
    seconds: float
    alone: bool
    pays_from: float | None


def soonest_trained(model: Model) -> SoonestTrained | None:
    """The run that was trained in the fewest seconds; None where no run says how long it took."""
    known = [(found.mean, run) for run in model.runs if (found := seconds_to_trained(run)) is not None]
    if not known:
        return None
    seconds, first = min(known, key=lambda one: one[0])
    fastest = fastest_steps(model)
    other = fastest is not None and fastest.first is not first
    pays_from = break_even(fastest.first, first) if fastest and other else None
    return SoonestTrained(first, seconds, len(known) == 1, pays_from)


def pareto(
    points: Sequence[tuple[float, float]], higher_is_better: bool, resolution: float = 1e-6
) -> list[int]:
    """Places of the points (speed, metric) that no other point beats in both, the fastest first.

    Metrics that differ by no more than the share `resolution` are equal: a point that is only slower, at an
    equal metric, is dominated, and a metric that is better by rounding alone does not put a point on the front.
    Points that are equal in both are not dominated by one another.
    """
    sign = -1.0 if higher_is_better else 1.0
    order = sorted(range(len(points)), key=lambda at: (-points[at][0], sign * points[at][1]))
    front: list[int] = []
    lowest = math.inf
    for at in order:
        loss = sign * points[at][1]
        margin = resolution * abs(loss)
        twin = bool(front) and points[at][0] == points[front[-1]][0] and abs(loss - lowest) <= margin
        if loss < lowest - margin or not math.isfinite(lowest) or twin:
            front.append(at)
            lowest = min(lowest, loss)
    return front
