"""The first page: which model and which backend to use, how sure that is, and what was run."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.validity import breaks_parity, parity_checked, sequences_per_second
from benchsuite.contracts.report import Block, Cards, Grid, Link, PageSection, Paragraph, Words
from benchsuite.report.data import ReportData, TaskResults
from benchsuite.report.formatting import format_count, format_list
from benchsuite.report.pages.exclusions import ran_section
from benchsuite.report.pages.over_tasks import over_tasks
from benchsuite.report.pages.overview_charts import tradeoff_chart
from benchsuite.report.pages.rankings import ranking_table
from benchsuite.report.pages.results_table import results_table
from benchsuite.report.pages.study_answer import study_answer
from benchsuite.report.pages.task_answer import task_card
from benchsuite.report.site import Page

MOST_TRADEOFFS = 12
"""Tasks whose accuracy is drawn against speed here; each has its chart on its own page as well."""
MOST_RANKED = 10
"""Models of a task that are named here."""


def overview_page(data: ReportData) -> Page:
    """Answers first, what supports them below."""
    cards = Cards(tuple(task_card(results) for results in data.tasks))
    ranked = [results for results in data.tasks if results.ranking and results.ranking.models]
    sections = [
        PageSection("Results", (Paragraph(_ran(data), "note"), *([results_table(ranked)] if ranked else ())))
    ]
    sections.append(PageSection("Task by task", (cards,)))
    if ranked:
        sections += [
            PageSection("Over all tasks", tuple(over_tasks(data))),
            PageSection("Accuracy against speed", tuple(_tradeoffs(ranked))),
            PageSection("Rankings", tuple(_rankings(ranked))),
        ]
    sections.append(ran_section(data))
    return Page(
        "overview", "Which model, and which backend?", tuple(sections), study_answer(data.tasks), "Overview"
    )


def _ran(data: ReportData) -> Words:
    studies = format_list([study.name for study in data.studies])
    if not data.entries:
        return f"No trial of {studies} is recorded."
    what = f"{format_count(len(data.tasks), 'task')}, {format_count(len(data.entries), 'trial')}"
    machines = format_list([machine.name for machine in data.machines])
    return (
        f"{'Study' if len(data.studies) == 1 else 'Studies'} {studies}: {what}, run on {machines}. "
        f"{_proved(data)}",
    )


def _proved(data: ReportData) -> str:
    """What these records say of parity and timing."""
    records = data.records
    checked = [one for one in records if parity_checked(one)]
    equal = sum(not breaks_parity(one) for one in checked)
    if not checked:
        return "No trial got as far as the comparison with the float64 reference."
    timed = sum(sequences_per_second(one) is not None for one in records)
    if equal == timed == len(records):
        return "Every trial was compared with a float64 reference, agrees with it, and has a valid timing."
    return (
        f"Compared with a float64 reference: {format_count(len(checked), 'trial')}, of which {equal} agree. "
        f"With a valid timing: {timed}."
    )


def _tradeoffs(tasks: list[TaskResults]) -> Iterator[Block]:
    charts = [chart for results in tasks if (chart := tradeoff_chart(results)) is not None]
    if not charts:
        yield Paragraph("There is nothing to draw: no task has several models with a valid timing.", "note")
        return
    yield Paragraph(
        "Each point is a model run by one backend. The line joins those that no other beats in both: up is "
        "better for an accuracy, down for an error; right is faster."
    )
    yield Grid(tuple(charts[:MOST_TRADEOFFS]))
    left = len(charts) - MOST_TRADEOFFS
    if left > 0:
        text = (
            "One more task has its chart on its own page."
            if left == 1
            else (f"{left} more tasks have their charts on their own pages.")
        )
        yield Paragraph(text, "note")


def _rankings(tasks: list[TaskResults]) -> Iterator[Block]:
    for results in tasks:
        assert results.ranking is not None
        yield ranking_table(results, MOST_RANKED)
        if len(results.ranking.models) > MOST_RANKED:
            more = len(results.ranking.models) - MOST_RANKED
            yield Paragraph(
                (Link(f"{format_count(more, 'more model')} of {results.title}", results.key), "."), "note"
            )
