"""The first page: which model and which backend to use, how sure that is, and what was run."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.ranking import Section as Ranking
from benchsuite.contracts import Card, Cards, Grid, Link, Paragraph, Section
from benchsuite.contracts.report import Block, Words
from benchsuite.report.answers import (
    CLOSE,
    Answer,
    answer,
    best_baseline,
    better,
    fastest,
    unsteady,
)
from benchsuite.report.data import ReportData, TaskResults
from benchsuite.report.pages.exclusions import excluded, ran_section
from benchsuite.report.pages.overview_charts import differences_chart, tradeoff_chart
from benchsuite.report.pages.rankings import model_words, ranking_table, settings_words
from benchsuite.report.ranks import ranks, verdict
from benchsuite.report.site import Page
from benchsuite.report.words import count, estimate, figure, listed, times

MOST_CHARTS = 12
"""Tasks whose accuracy is drawn against speed here; each has its chart on its own page as well."""
ROWS = 10
"""Models of a task that are named here."""
NAMED = 4
"""Models that a sentence names before it counts the others."""


def overview_page(material: ReportData) -> Page:
    """Answers first, what supports them below."""
    cards = Cards(tuple(_card(board) for board in material.boards))
    ranked = [board for board in material.boards if board.ranking and board.ranking.models]
    sections = [Section("In short", (cards,))]
    if ranked:
        sections += [
            Section("Over all tasks", tuple(_over_tasks(material))),
            Section("Accuracy against speed", tuple(_tradeoffs(ranked))),
            Section("Rankings", tuple(_rankings(ranked))),
        ]
    sections.append(ran_section(material))
    return Page("overview", "Which model, and which backend?", tuple(sections), _lead(material), "Overview")


def _lead(material: ReportData) -> Words:
    studies = listed([study.name for study in material.studies])
    if not material.entries:
        return f"No trial of {studies} is recorded."
    what = f"{count(len(material.boards), 'task')}, {count(len(material.entries), 'trial')}"
    machines = listed([machine.name for machine in material.machines])
    return (
        f"{'Study' if len(material.studies) == 1 else 'Studies'} {studies}: {what}, run on {machines}. "
        "Every model ran with the same weights and batches in every backend and was proved equal to a "
        "float64 reference before it was timed.",
    )


def _card(board: TaskResults) -> Card:
    """Which model, with whom, and what to beware of."""
    ranking = board.ranking
    found = answer(ranking) if ranking else None
    if ranking is None or found is None:
        what = f"{count(len(board.entries), 'trial')}, none of them ranked."
        return Card(board.title, board.key, "No result", "", (Paragraph(what, "warning"),))
    metric = found.best.metric
    assert metric is not None
    value = estimate(metric.mean, metric.half_width)
    lines = [Paragraph(distinction(found, ranking)), *(Paragraph(text) for text in speeds(found, ranking))]
    lines += [Paragraph(text, "warning") for text in cautions(board, found)]
    told = f"{ranking.metric.replace('_', ' ')} {value}"
    if ranking.settings:
        lines.insert(0, Paragraph(settings_words(found.best, ranking), "note"))
    return Card(board.title, board.key, found.best.name, told, tuple(lines))


def distinction(found: Answer, ranking: Ranking) -> str:
    """What can be told apart from the best model, in one sentence."""
    seeds = count(found.seeds, "seed")
    if found.next_best is None:
        return f"The only model with a result ({seeds})."
    if not found.alike and not found.worse:
        follows = found.next_best.metric
        assert follows is not None
        name = model_words(found.next_best, ranking, found.best)
        said = "no interval and no test" if found.seeds == 1 else "too few for a test"
        seeds = "One seed" if found.seeds == 1 else seeds
        return f"{seeds}: {said}. Next is {name} with {figure(follows.mean)}."
    tested = f"paired over {seeds}, 5 % level"
    if not found.alike:
        rest = f"; {count(len(found.untested), 'model')} untested" if found.untested else ""
        return f"Better than each of the other {len(found.worse)} models ({tested}){rest}."
    names = [model_words(model, ranking, found.best) for model in found.alike]
    if len(names) > NAMED:
        names = [*names[:NAMED], f"{len(names) - NAMED} more"]
    return f"Not distinguishable from it: {listed(names)} ({tested})."


def speeds(found: Answer, ranking: Ranking) -> Iterator[str]:
    """Who trains the best model fastest, and how much faster than whoever follows."""
    quickest = fastest(found.best)
    if quickest is None:
        yield "No speed was measured."
        return
    mark = "about " if unsteady(quickest.first) else ""
    speed = f"{mark}{figure(quickest.speed)} sequences/s"
    name = ranking.way(quickest.first)
    if quickest.second is None:
        yield f"Run with {name} alone: {speed}."
        return
    second = ranking.way(quickest.second)
    if quickest.ratio < CLOSE:
        yield f"Trains fastest with {name}, {speed}; {second} is about as fast."
    else:
        yield f"Trains fastest with {name}, {speed}: {times(quickest.ratio)} times {second}, which follows."


def cautions(board: TaskResults, found: Answer) -> Iterator[str]:
    """What a reader should know before believing the answer."""
    ranking = board.ranking
    assert ranking is not None
    best, metric = found.best, found.best.metric
    assert metric is not None
    baseline = best_baseline(ranking)
    if baseline and not better(metric.mean, baseline[1], ranking):
        name = baseline[0].replace("_", " ")
        yield f"The baseline {name} reaches {figure(baseline[1])}: no model beats it."
    if best.is_baseline and len(ranking.models) > 1:
        yield "The best model has no recurrence."
    quickest = fastest(best)
    if quickest and unsteady(quickest.first):
        yield "The timing of the fastest run was not steady."
    spread = best.spread
    if spread is not None and metric.half_width is not None and spread > metric.half_width > 0:
        yield f"Backends differ by {figure(spread)} in this metric, more than the interval."
    worst = best.worst_parity
    if worst is not None and worst > 0.5:
        yield f"Parity holds narrowly: the largest error is {100 * worst:.0f} % of its tolerance."
    missing = excluded(board)
    if missing:
        yield f"Not ranked: {missing}."


def _over_tasks(material: ReportData) -> Iterator[Block]:
    found = ranks(material.boards)
    if isinstance(found, str):
        yield Paragraph(found, "note")
        return
    yield Paragraph(verdict(found))
    yield differences_chart(found)
    if found.left_out:
        yield Paragraph(f"Left out, because not every task has them: {listed(list(found.left_out))}.", "note")


def _tradeoffs(boards: list[TaskResults]) -> Iterator[Block]:
    charts = [chart for board in boards[:MOST_CHARTS] if (chart := tradeoff_chart(board)) is not None]
    if not charts:
        yield Paragraph(
            "There is nothing to draw: no task has several models whose speed was measured.", "note"
        )
        return
    yield Paragraph(
        "Each point is a model run by one backend. The line joins those that no other beats in both: up is "
        "better for an accuracy, down for an error; right is faster."
    )
    yield Grid(tuple(charts))
    if len(boards) > MOST_CHARTS:
        yield Paragraph(
            f"The other {len(boards) - MOST_CHARTS} tasks have theirs on their own pages.", "note"
        )


def _rankings(boards: list[TaskResults]) -> Iterator[Block]:
    for board in boards:
        assert board.ranking is not None
        yield ranking_table(board, ROWS)
        if len(board.ranking.models) > ROWS:
            more = len(board.ranking.models) - ROWS
            yield Paragraph((Link(f"{count(more, 'more model')} of {board.title}", board.key), "."), "note")
