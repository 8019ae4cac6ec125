"""The first page: which model and which backend to use, how sure that is, and what was run."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.ranking import Section as Ranking
from benchsuite.contracts.report import Block, Card, Cards, Grid, Link, PageSection, Paragraph, Words
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
from benchsuite.report.formatting import format_count, format_list, format_number, format_ratio, format_value
from benchsuite.report.pages.exclusions import excluded, ran_section
from benchsuite.report.pages.overview_charts import differences_chart, tradeoff_chart
from benchsuite.report.pages.rankings import model_words, ranking_table, settings_words
from benchsuite.report.ranks import ranks, verdict
from benchsuite.report.site import Page

MOST_CHARTS = 12
"""Tasks whose accuracy is drawn against speed here; each has its chart on its own page as well."""
ROWS = 10
"""Models of a task that are named here."""
NAMED = 4
"""Models that a sentence names before it counts the others."""


def overview_page(data: ReportData) -> Page:
    """Answers first, what supports them below."""
    cards = Cards(tuple(_card(results) for results in data.tasks))
    ranked = [results for results in data.tasks if results.ranking and results.ranking.models]
    sections = [PageSection("In short", (cards,))]
    if ranked:
        sections += [
            PageSection("Over all tasks", tuple(_over_tasks(data))),
            PageSection("Accuracy against speed", tuple(_tradeoffs(ranked))),
            PageSection("Rankings", tuple(_rankings(ranked))),
        ]
    sections.append(ran_section(data))
    return Page("overview", "Which model, and which backend?", tuple(sections), _lead(data), "Overview")


def _lead(data: ReportData) -> Words:
    studies = format_list([study.name for study in data.studies])
    if not data.entries:
        return f"No trial of {studies} is recorded."
    what = f"{format_count(len(data.tasks), 'task')}, {format_count(len(data.entries), 'trial')}"
    machines = format_list([machine.name for machine in data.machines])
    return (
        f"{'Study' if len(data.studies) == 1 else 'Studies'} {studies}: {what}, run on {machines}. "
        "Every model ran with the same weights and batches in every backend and was proved equal to a "
        "float64 reference before it was timed.",
    )


def _card(results: TaskResults) -> Card:
    """Which model, with whom, and what to beware of."""
    ranking = results.ranking
    found = answer(ranking) if ranking else None
    if ranking is None or found is None:
        what = f"{format_count(len(results.entries), 'trial')}, none of them ranked."
        return Card(results.title, results.key, "No result", "", (Paragraph(what, "warning"),))
    metric = found.best.metric
    assert metric is not None
    value = format_value(metric.mean, metric.half_width)
    lines = [Paragraph(distinction(found, ranking)), *(Paragraph(text) for text in speeds(found, ranking))]
    lines += [Paragraph(text, "warning") for text in cautions(results, found)]
    told = f"{ranking.metric.replace('_', ' ')} {value}"
    if ranking.settings:
        lines.insert(0, Paragraph(settings_words(found.best, ranking), "note"))
    return Card(results.title, results.key, found.best.name, told, tuple(lines))


def distinction(found: Answer, ranking: Ranking) -> str:
    """What can be told apart from the best model, in one sentence."""
    seeds = format_count(found.seeds, "seed")
    if found.next_best is None:
        return f"The only model with a result ({seeds})."
    if not found.alike and not found.worse:
        follows = found.next_best.metric
        assert follows is not None
        name = model_words(found.next_best, ranking, found.best)
        said = "no interval and no test" if found.seeds == 1 else "too few for a test"
        seeds = "One seed" if found.seeds == 1 else seeds
        return f"{seeds}: {said}. Next is {name} with {format_number(follows.mean)}."
    tested = f"paired over {seeds}, 5 % level"
    if not found.alike:
        rest = f"; {format_count(len(found.untested), 'model')} untested" if found.untested else ""
        return f"Better than each of the other {len(found.worse)} models ({tested}){rest}."
    names = [model_words(model, ranking, found.best) for model in found.alike]
    if len(names) > NAMED:
        names = [*names[:NAMED], f"{len(names) - NAMED} more"]
    return f"Not distinguishable from it: {format_list(names)} ({tested})."


def speeds(found: Answer, ranking: Ranking) -> Iterator[str]:
    """Who trains the best model fastest, and how much faster than whoever follows."""
    quickest = fastest(found.best)
    if quickest is None:
        yield "No speed was measured."
        return
    rough = unsteady(quickest.first)
    speed = format_value(quickest.speed, unit="sequences/s", rough=rough)
    speed = f"about {speed}" if rough else speed
    name = ranking.way(quickest.first)
    if quickest.second is None:
        yield f"Run with {name} alone: {speed}."
        return
    second = ranking.way(quickest.second)
    if quickest.ratio < CLOSE:
        yield f"Trains fastest with {name}, {speed}; {second} is about as fast."
    else:
        ratio = format_ratio(quickest.ratio)
        yield f"Trains fastest with {name}, {speed}: {ratio} times {second}, which follows."


def cautions(results: TaskResults, found: Answer) -> Iterator[str]:
    """What a reader should know before believing the answer."""
    ranking = results.ranking
    assert ranking is not None
    best, metric = found.best, found.best.metric
    assert metric is not None
    baseline = best_baseline(ranking)
    if baseline and not better(metric.mean, baseline[1], ranking):
        name = baseline[0].replace("_", " ")
        yield f"The baseline {name} reaches {format_number(baseline[1])}: no model beats it."
    if best.is_baseline and len(ranking.models) > 1:
        yield "The best model has no recurrence."
    quickest = fastest(best)
    if quickest and unsteady(quickest.first):
        yield "The timing of the fastest run was not steady."
    spread = best.spread
    if spread is not None and metric.half_width is not None and spread > metric.half_width > 0:
        yield f"Backends differ by {format_number(spread)} in this metric, more than the interval."
    worst = best.worst_parity
    if worst is not None and worst > 0.5:
        yield f"Parity holds narrowly: the largest error is {100 * worst:.0f} % of its tolerance."
    missing = excluded(results)
    if missing:
        yield f"Not ranked: {missing}."


def _over_tasks(data: ReportData) -> Iterator[Block]:
    found = ranks(data.tasks)
    if isinstance(found, str):
        yield Paragraph(found, "note")
        return
    yield Paragraph(verdict(found))
    yield differences_chart(found)
    if found.left_out:
        yield Paragraph(
            f"Left out, because not every task has them: {format_list(list(found.left_out))}.", "note"
        )


def _tradeoffs(tasks: list[TaskResults]) -> Iterator[Block]:
    charts = [chart for results in tasks[:MOST_CHARTS] if (chart := tradeoff_chart(results)) is not None]
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
    if len(tasks) > MOST_CHARTS:
        yield Paragraph(f"The other {len(tasks) - MOST_CHARTS} tasks have theirs on their own pages.", "note")


def _rankings(tasks: list[TaskResults]) -> Iterator[Block]:
    for results in tasks:
        assert results.ranking is not None
        yield ranking_table(results, ROWS)
        if len(results.ranking.models) > ROWS:
            more = len(results.ranking.models) - ROWS
            yield Paragraph(
                (Link(f"{format_count(more, 'more model')} of {results.title}", results.key), "."), "note"
            )
