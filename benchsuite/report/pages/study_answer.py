"""The answer of a whole study in one sentence: which model, how certain that is, and which backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.analysis.answers import Answer, answer
from benchsuite.analysis.average_ranks import average_ranks
from benchsuite.analysis.cautions import baseline_words
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.runs import Leaders, Relation, Run, leaders, runs_of
from benchsuite.contracts.report import Link, Words
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_list, format_number, format_value
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.pages.results_table import rankings_of_one_machine

ALIKE_NAMED = 3
"""Models that the sentence names before it counts the others."""


def study_answer(tasks: Sequence[TaskResults]) -> Words:
    """`Best is lstm deep, accuracy 0.981 ± 0.003, better than each of the other 8 models (…); numpy has …`."""
    ranked = [results for results in tasks if results.ranking and results.ranking.models]
    if not ranked:
        return "No model has a result: the reasons are below."
    rankings = rankings_of_one_machine(ranked)
    model = _of_one_task(ranked[0]) if len(ranked) == 1 else (_of_tasks(rankings),)
    backends = "; ".join(backend_words(runs_of(rankings.values())))
    return (*model, f"; {backends}." if backends else ".")


def _of_one_task(results: TaskResults) -> tuple[str | Link, ...]:
    ranking = results.ranking
    assert ranking is not None
    found = answer(ranking)
    if found is None or found.best.metric is None:
        return ("No model of ", Link(results.title, results.key), " has a result that is a number")
    if below := below_baseline(found, ranking):
        return ("No model of ", Link(results.title, results.key), f" {below}")
    value = format_value(found.best.metric.mean, found.best.metric.half_width)
    if found.next_best is None:
        words = f": {model_words(found.best, ranking)}, {ranking.metric.replace('_', ' ')} {value}"
        return ("The only model with a result on ", Link(results.title, results.key), words)
    words = f": {model_words(found.best, ranking)}, with {ranking.metric.replace('_', ' ')} {value}, "
    return ("Best on ", Link(results.title, results.key), words + certainty(found, ranking))


def below_baseline(found: Answer, ranking: Ranking) -> str:
    """What follows `No model` where none is better than the best baseline; "" where one is."""
    baseline = ranking.unbeaten_baseline(found.best)
    return f"is better than {baseline_words(ranking, baseline)}, which has no recurrence" if baseline else ""


def certainty(found: Answer, ranking: Ranking) -> str:
    """How sure it is that the best model is the best."""
    if found.next_best is None:
        return "the only model with a result"
    if found.alike:
        names = [model_words(one.model, ranking, found.best) for one in found.alike]
        n = min(one.n for one in found.alike)
        return f"not distinguishable from {format_list(names, most=ALIKE_NAMED)} with n = {n} seeds"
    if not found.worse:
        seeds = "one seed" if found.seeds == 1 else f"{found.seeds} seeds"
        return f"which {seeds} cannot confirm"
    others = "the other model" if len(found.worse) == 1 else f"each of the other {len(found.worse)} models"
    rest = f"; {format_count(len(found.untested), 'model')} untested" if found.untested else ""
    return f"better than {others} (paired over {found.seeds} seeds, 5 % level{rest})"


def _of_tasks(rankings: dict[str, Ranking]) -> str:
    """Of several tasks: the best average rank where that can be told, else on how many tasks a best model is
    told from all others."""
    ranks = average_ranks(rankings)
    if not isinstance(ranks, str) and ranks.p < 0.05:
        alike = sum(rank - ranks.ranks[0] <= ranks.difference for rank in ranks.ranks[1:])
        sure = (
            f"not distinguishable from {format_count(alike, 'other model')}"
            if alike
            else "which differs from every other model's"
        )
        return (
            f"{ranks.models[0]} has the best average rank over {format_count(len(ranks.tasks), 'task')} "
            f"({ranks.ranks[0]:.2f} of {len(ranks.models)}), {sure} (Nemenyi, 5 %)"
        )
    found = [one for ranking in rankings.values() if (one := answer(ranking)) is not None]
    several = [one for one in found if one.next_best is not None]
    clear = sum(bool(one.worse) and not one.alike and not one.untested for one in several)
    tested = sum(bool(one.worse or one.alike) for one in several)
    if not several:
        return f"Each of the {len(found)} tasks has one model, so that none can be called best"
    if not tested:
        seeds = max(one.seeds for one in several)
        few = "one seed" if seeds == 1 else f"{seeds} seeds"
        said = f"Which model is best cannot be told with {few}"
    else:
        said = (
            f"{_best_ones(clear, len(several))} better than each of the others (paired over seeds, 5 % level)"
        )
    if isinstance(ranks, str):
        return said
    return (
        f"{said}, and over {format_count(len(ranks.tasks), 'task')} no difference between the ranks of "
        f"{len(ranks.models)} models is found (Friedman, p = {format_number(ranks.p, 2)})"
    )


def _best_ones(clear: int, tasks: int) -> str:
    """On how many of the tasks a best model is told from all others: `On 3 of 9 tasks … one is`."""
    if tasks == 1:
        return f"On the one task with several models {'one' if clear else 'none'} is"
    return (
        f"On {clear} of {tasks} tasks with several models one is"
        if clear
        else (f"On none of {tasks} tasks with several models is one")
    )


def backend_words(runs: Sequence[Run]) -> Iterator[str]:
    """Whose steps are fastest and who has models trained soonest, in how many models; nothing where no model
    was run by several backends."""
    figures: tuple[tuple[Relation, str], ...] = (
        ("relative", "the fastest steps"),
        ("relative_trained", "the model trained soonest"),
    )
    for figure, what in figures:
        if (found := leaders(runs, figure)) is not None:
            yield leader_words(found, what)


def leader_words(found: Leaders, what: str) -> str:
    """`jax has WHAT in 52 of 58 models`, `jax and numpy each have WHAT in 1 of 2 models`."""
    has = "has" if len(found.backends) == 1 else "each have"
    of = "" if found.of == 1 else f" in {found.models} of {found.of} models"
    return f"{format_list(found.backends)} {has} {what}{of}"
