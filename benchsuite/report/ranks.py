"""Models over several tasks: average ranks and the critical difference (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_list, format_number

LEAST_TASKS = 3
LEAST_MODELS = 3


@dataclass(frozen=True)
class Ranks:
    """Average ranks over tasks, the best first.

    difference  two average ranks that lie further apart differ at the 5 % level (Nemenyi)
    p           of Friedman's test that all models are equal
    left_out    models that some task lacks
    """

    models: tuple[str, ...]
    ranks: tuple[float, ...]
    tasks: tuple[str, ...]
    difference: float
    p: float
    left_out: tuple[str, ...]


def ranks(tasks: Sequence[TaskResults]) -> Ranks | str:
    """The average rank of each model over the tasks, or the reason why there is none.

    A model here is a cell in an architecture; of several sizes or recipes of it the best one counts. Boards of
    several machines repeat one another: those of the machine that has most are taken. Not every task is given
    every model: those tasks are taken that have most in common.
    """
    ranked = _with_most_in_common(
        _of_one_machine([results for results in tasks if results.ranking and results.ranking.models])
    )
    if len(ranked) < LEAST_TASKS:
        return (
            f"A critical-difference diagram needs at least {LEAST_TASKS} tasks with a ranking; there "
            f"{'is' if len(ranked) == 1 else 'are'} {len(ranked)}."
        )
    scores = [_scores(results) for results in ranked]
    everywhere = [name for name in scores[0] if all(name in score for score in scores)]
    left_out = tuple(dict.fromkeys(name for score in scores for name in score if name not in everywhere))
    if len(everywhere) < LEAST_MODELS:
        return (
            f"A critical-difference diagram needs at least {LEAST_MODELS} models that were ranked on every "
            f"one of the {len(ranked)} tasks; there {'is' if len(everywhere) == 1 else 'are'} "
            f"{len(everywhere)}."
        )
    from scipy import stats

    table = np.array([[score[name] for name in everywhere] for score in scores])
    places = np.apply_along_axis(stats.rankdata, 1, table)
    average = places.mean(axis=0)
    order = np.argsort(average, kind="stable")
    blocks, models = table.shape
    spread = stats.studentized_range.ppf(0.95, models, math.inf) / math.sqrt(2)
    p = float(stats.friedmanchisquare(*table.T).pvalue) if np.ptp(places, axis=1).any() else 1.0
    return Ranks(
        tuple(everywhere[at] for at in order),
        tuple(float(average[at]) for at in order),
        tuple(results.title for results in ranked),
        float(spread * math.sqrt(models * (models + 1) / (6 * blocks))),
        p,
        left_out,
    )


def _with_most_in_common(tasks: list[TaskResults]) -> list[TaskResults]:
    """Those tasks that rank all models of one of them, if they are enough: the choice with the most ranks to
    average, tasks times models. Else all tasks."""
    names = [set(_scores(results)) for results in tasks]
    groups = [
        (own, [results for results, held in zip(tasks, names, strict=True) if own <= held])
        for own in names
        if len(own) >= LEAST_MODELS
    ]
    enough = [(len(own) * len(group), group) for own, group in groups if len(group) >= LEAST_TASKS]
    return max(enough, key=lambda choice: choice[0], default=(0, tasks))[1]


def _of_one_machine(tasks: Sequence[TaskResults]) -> list[TaskResults]:
    machines = [results.machine for results in tasks]
    most = max(machines, key=machines.count, default=None)
    return [results for results in tasks if results.machine == most]


def _scores(results: TaskResults) -> dict[str, float]:
    """Model -> its metric, turned so that lower is better."""
    assert results.ranking is not None
    sign = -1.0 if results.ranking.higher_is_better else 1.0
    found: dict[str, float] = {}
    for model in results.ranking.models:  # the best first: of equal names the first one counts
        if model.metric and math.isfinite(model.metric.mean) and model.name not in found:
            found[model.name] = sign * model.metric.mean
    return found


def verdict(found: Ranks) -> str:
    """What the ranks say, in a sentence or two."""
    first = found.models[0]
    alike = [
        name
        for name, rank in zip(found.models[1:], found.ranks[1:], strict=True)
        if rank - found.ranks[0] <= found.difference
    ]
    words = (
        f"Over {format_count(len(found.tasks), 'task')} {first} ranks best on average ({found.ranks[0]:.2f})."
    )
    if found.p >= 0.05:
        return f"{words} Friedman's test finds no difference among the models (p = {format_number(found.p)})."
    if not alike:
        return f"{words} It differs from every other model (Nemenyi, 5 %)."
    most = 4
    names = alike if len(alike) <= most else [*alike[:most], f"{len(alike) - most} more"]
    return f"{words} Not distinguishable from it over so many tasks: {format_list(names)} (Nemenyi, 5 %)."
