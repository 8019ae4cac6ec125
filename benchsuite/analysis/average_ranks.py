"""Models over several tasks: average ranks and the critical difference (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.analysis.ranking import Ranking

LEAST_TASKS = 3
LEAST_MODELS = 3


@dataclass(frozen=True)
class AverageRanks:
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


def average_ranks(rankings: Mapping[str, Ranking]) -> AverageRanks | str:
    """The average rank of each model over tasks, or the reason why there is none.

    A model here is a cell in an architecture; of several sizes or recipes of it the best one counts. Not every
    task is given every model: those tasks are taken that have most in common. Values that differ by no more
    than rounding share a rank.

    :param rankings: by the title of the task, all of one machine.
    """
    ranked = _with_most_in_common({title: one for title, one in rankings.items() if one.models})
    if len(ranked) < LEAST_TASKS:
        return (
            f"A critical-difference diagram needs at least {LEAST_TASKS} tasks with a ranking; there "
            f"{'is' if len(ranked) == 1 else 'are'} {len(ranked)}."
        )
    scores = [_scores(one) for one in ranked.values()]
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
    return AverageRanks(
        tuple(everywhere[at] for at in order),
        tuple(float(average[at]) for at in order),
        tuple(ranked),
        float(spread * math.sqrt(models * (models + 1) / (6 * blocks))),
        p,
        left_out,
    )


def _with_most_in_common(rankings: Mapping[str, Ranking]) -> Mapping[str, Ranking]:
    """Those tasks that rank all models of one of them, if they are enough: the choice with the most ranks to
    average, tasks times models. Else all tasks."""
    names = {title: set(_scores(one)) for title, one in rankings.items()}
    choices = []
    for own in names.values():
        group = {title: rankings[title] for title, known in names.items() if own <= known}
        if len(own) >= LEAST_MODELS and len(group) >= LEAST_TASKS:
            choices.append((len(own) * len(group), group))
    return max(choices, key=lambda choice: choice[0], default=(0, rankings))[1]


def _scores(ranking: Ranking) -> dict[str, int]:
    """Model -> its rank in the task, equal where values are; of models of one name the best one counts."""
    found: dict[str, int] = {}
    for model in ranking.models:  # the best first
        if model.metric and math.isfinite(model.metric.mean):
            found.setdefault(model.name, ranking.place(model))
    return found
