"""The page of one task: its models, how they learnt, how long it took them, and what they produce."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.ranking import Model
from benchsuite.analysis.ranking import Section as Ranking
from benchsuite.contracts import (
    Cell,
    Column,
    Details,
    Display,
    Fact,
    Facts,
    Grid,
    Link,
    Paragraph,
    Section,
    Table,
)
from benchsuite.contracts.report import Block
from benchsuite.errors import StoreError
from benchsuite.report.answers import Answer, answer, best_baseline, better
from benchsuite.report.data import Entry, ReportData, TaskResults
from benchsuite.report.pages.exclusions import reasons_table
from benchsuite.report.pages.overview import cautions, distinction, speeds
from benchsuite.report.pages.overview_charts import tradeoff_chart
from benchsuite.report.pages.rankings import model_words, ranking_table
from benchsuite.report.pages.task_charts import learning_charts, target_chart
from benchsuite.report.site import Page
from benchsuite.report.words import count, estimate, figure
from benchsuite.schema import Status
from benchsuite.schema.names import ARCHITECTURES, CELLS

MOST_ROWS = 400
"""Configurations that the table of seeds lists."""
EXHIBITS = 6


def task_page(board: TaskResults, material: ReportData) -> Page:
    """What is known of a task. Raises no error for curves that cannot be read: their charts say so."""
    ranking = board.ranking
    found = answer(ranking) if ranking else None
    sections = []
    if ranking is None or found is None:
        sections.append(Section("Models", (Paragraph("No trial of this task has a result.", "warning"),)))
    else:
        sections += [
            Section("Models", tuple(_models(board, ranking, found))),
            Section("How they learnt", tuple(learning_charts(board, ranking))),
        ]
        reached = target_chart(ranking)
        if reached:
            sections.append(Section("Time to target", reached))
        chart = tradeoff_chart(board, "Each run: model and backend")
        if chart:
            sections.append(Section("Accuracy against speed", (chart,)))
        samples = tuple(_samples(board, found))
        if samples:
            sections.append(Section("What it produces", samples))
    table = reasons_table(board.entries)
    if table:
        sections.append(Section("Not ranked", (table,)))
    sections.append(Section("The task", (_facts(board),)))
    del material
    return Page(board.key, board.title, tuple(sections), _lead(board, found))


def _lead(board: TaskResults, found: Answer | None) -> str:
    ranking = board.ranking
    if ranking is None or found is None or found.best.metric is None:
        return f"{count(len(board.entries), 'trial')}, none of them ranked."
    metric = found.best.metric
    value = estimate(metric.mean, metric.half_width)
    name = ranking.metric.replace("_", " ")
    return f"Best: {model_words(found.best, ranking)}, {name} {value} on the test split."


def _models(board: TaskResults, ranking: Ranking, found: Answer) -> Iterator[Block]:
    yield Paragraph(" ".join([distinction(found, ranking), *speeds(found, ranking)]))
    for text in cautions(board, found):
        yield Paragraph(text, "warning")
    yield ranking_table(board)
    yield from _baselines(ranking, found)
    yield Details("Every test metric", (_metrics(ranking),))
    yield Details("Every seed", (_seeds(board, ranking),))


def _baselines(ranking: Ranking, found: Answer) -> Iterator[Block]:
    """How far the best and the worst model are from what needs no training."""
    baseline, worst = best_baseline(ranking), ranking.models[-1]
    metric, last = found.best.metric, worst.metric
    if not baseline or metric is None or last is None:
        return
    name, value = baseline[0].replace("_", " "), baseline[1]
    beaten = "beats" if better(metric.mean, value, ranking) else "does not beat"
    text = f"The best model {beaten} the best baseline, {name} ({figure(value)})"
    if len(ranking.models) > 1:
        also = "beats it too" if better(last.mean, value, ranking) else "does not"
        text += f"; the worst one, {model_words(worst, ranking)} ({figure(last.mean)}), {also}"
    yield Paragraph(f"{text}.")


def _metrics(ranking: Ranking) -> Table:
    names = list(dict.fromkeys(
        name for model in ranking.models for name in model.best.scalars if name.startswith("test/")
    ))  # fmt: skip
    names.sort(key=lambda name: (name != f"test/{ranking.metric}", name))
    rows = []
    for model in ranking.models:
        row: list[Cell | str | None] = [model_words(model, ranking)]
        for name in names:
            value = model.best.scalars.get(name)
            row.append(Cell(value.mean, half=value.half_width) if value else None)
        rows.append(row)
    columns = (
        Column("model"),
        *(Column(name.partition("/")[2].replace("_", " "), "number") for name in names),
    )
    return Table("Test metrics of the fastest run of each model", columns, rows)


def _seeds(board: TaskResults, ranking: Ranking) -> Table:
    columns = (
        Column("trial"), Column("model"), Column("run by"), Column("seed", "integer"),
        Column(ranking.metric.replace("_", " "), "number"),
    )  # fmt: skip
    rows = [
        [
            Cell(record.trial_id, record.trial_id[:8], board.pages.get(record.trial_id, "")),
            model_words(model, ranking),
            ranking.way(run),
            record.trial.seed,
            record.scalars.get(f"test/{ranking.metric}"),
        ]
        for model in ranking.models
        for run in model.runs
        for record in run.records
    ]
    return Table("Ranked trials", columns, rows[:MOST_ROWS])


def _samples(board: TaskResults, found: Answer) -> Iterator[Block]:
    """Exhibits of the best model that has any; the worst model's beside them where it has the like."""
    models = [found.best, *(model for model in (board.ranking.models if board.ranking else ()))]
    first = next((pair for model in models if (pair := _exhibited(board, model))), None)
    if first is None:
        return
    model, entry = first
    assert board.ranking is not None
    exhibits = entry.exhibits()
    name = model_words(model, board.ranking)
    which = "the best model" if model is found.best else "the best model that has any to show"
    yield Paragraph((f"Of {which}, ", Link(f"{name}, seed {entry.record.trial.seed}", entry.page), ":"))
    yield Grid(tuple(Display(one) for one in exhibits[:EXHIBITS]), wide=True)
    if len(exhibits) > EXHIBITS:
        more = count(len(exhibits) - EXHIBITS, "more")
        yield Paragraph((f"There are {more} on ", Link("the trial's page", entry.page), "."), "note")


def _exhibited(board: TaskResults, model: Model) -> tuple[Model, Entry] | None:
    """The model's first trial that has exhibits which can be read."""
    own = {record.trial_id for run in model.runs for record in run.records}
    for entry in board.entries:
        if entry.counts and entry.record.trial_id in own:
            try:
                if entry.exhibits():
                    return model, entry
            except StoreError:
                continue
    return None


def _facts(board: TaskResults) -> Facts:
    trials = [entry.record.trial for entry in board.entries]
    first = trials[0]
    statuses = {status: sum(entry.record.status is status for entry in board.entries) for status in Status}
    ended = ", ".join(f"{number} {status}" for status, number in statuses.items() if number)
    licences = {entry.record.environment.get("data.licence", "") for entry in board.entries} - {""}
    return Facts(
        "",
        (
            Fact("task", first.task),
            Fact("source", first.source),
            *(Fact(name, value) for name, value in sorted(first.options.items())),
            Fact("licence of the data", ", ".join(sorted(licences)) or None),
            Fact("machine", board.machine.name),
            Fact("trials", ended),
            *(
                Fact(name, CELLS.get(name, ""))
                for name in dict.fromkeys(one.cell for one in trials)
                if name in CELLS
            ),
            *(
                Fact(name, ARCHITECTURES.get(name, ""))
                for name in dict.fromkeys(one.architecture for one in trials)
            ),
        ),
    )
