"""The page of one task: its models, how they learned, how long that took, and what they produce."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.answers import Answer, answer
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.contracts.report import (
    Block,
    Column,
    Details,
    Display,
    Grid,
    Link,
    PageSection,
    Paragraph,
    Table,
    TableCell,
)
from benchsuite.errors import StoreError
from benchsuite.report.data import Entry, ReportData, TaskResults
from benchsuite.report.formatting import format_count, format_number, format_value
from benchsuite.report.pages.exclusions import reasons_table
from benchsuite.report.pages.overview_charts import tradeoff_chart
from benchsuite.report.pages.rankings import model_words, ranking_table
from benchsuite.report.pages.study_answer import below_baseline, certainty
from benchsuite.report.pages.task_answer import cautions, distinction, speeds
from benchsuite.report.pages.task_charts import learning_charts, target_chart
from benchsuite.report.pages.task_curves import exhibited_curves
from benchsuite.report.pages.task_seconds import by_backend
from benchsuite.report.pages.task_setup import setups_table, task_entry, task_facts
from benchsuite.report.site import Page
from benchsuite.schema import Exhibit

MOST_SEED_ROWS = 400
"""Configurations that the table of seeds lists."""
EXHIBITS = 6


def task_page(results: TaskResults, data: ReportData) -> Page:
    """What is known of a task. Raises no error for curves that cannot be read: their charts say so."""
    ranking = results.ranking
    found = answer(ranking) if ranking else None
    sections = []
    if ranking is None or found is None:
        sections.append(PageSection("Models", (Paragraph("No trial of this task has a result.", "warning"),)))
    else:
        sections += [
            PageSection("Models", tuple(_models(results, ranking, found))),
            PageSection("What was trained", (setups_table(results, ranking),)),
            PageSection(
                "How they learned",
                (*learning_charts(results, ranking), *by_backend(results, ranking, found.best)),
            ),
        ]
        reached = target_chart(ranking)
        if reached:
            sections.append(PageSection("Time to target", reached))
        chart = tradeoff_chart(results, "Each run: model and backend")
        if chart:
            sections.append(PageSection("Accuracy against speed", (chart,)))
        curves = tuple(exhibited_curves(results, ranking))
        if curves:
            sections.append(PageSection("Curves of the test split", curves))
        samples = tuple(_samples(results, found))
        if samples:
            sections.append(PageSection("What it produces", samples))
    table = reasons_table(results.entries, data.label)
    if table:
        sections.append(PageSection("Not ranked or not timed", (table,)))
    sections.append(PageSection("The task", (task_facts(results),)))
    return Page(results.key, results.title, tuple(sections), _lead(results, found))


def _lead(results: TaskResults, found: Answer | None) -> str:
    """The answer with its certainty, and what the task is."""
    ranking, entry = results.ranking, task_entry(results.entries[0].record.trial)
    what = f" The task: {entry.summary.rstrip('.')}." if entry else ""
    if ranking is None or found is None or found.best.metric is None:
        return f"{format_count(len(results.entries), 'trial')}, none of them ranked.{what}"
    metric = found.best.metric
    value = format_value(metric.mean, metric.half_width)
    name = ranking.metric.replace("_", " ")
    best = f"Best: {model_words(found.best, ranking)}, {name} {value} on the test split"
    below = below_baseline(found, ranking)
    none = f" No model {below}." if below else ""
    return f"{best}, {certainty(found, ranking)}.{none}{what}"


def _models(results: TaskResults, ranking: Ranking, found: Answer) -> Iterator[Block]:
    yield Paragraph(" ".join([distinction(found, ranking), *speeds(found, ranking)]))
    for text in cautions(results, found):
        yield Paragraph(text, "warning")
    yield ranking_table(results)
    yield from _baselines(ranking, found)
    yield Details("Every test metric", (_metrics(ranking),))
    yield Details("Every seed", (_seeds(results, ranking),))


def _baselines(ranking: Ranking, found: Answer) -> Iterator[Block]:
    """How far the best and the worst model are from the baselines."""
    baseline, worst = ranking.best_baseline, ranking.models[-1]
    metric, last = found.best.metric, worst.metric
    if not baseline or metric is None or last is None:
        return
    name, value = baseline[0].replace("_", " "), baseline[1]
    if ranking.unbeaten_baseline(found.best):
        return  # said above, as a caution
    best = f"the best baseline, {name} ({format_number(value)})"
    if len(ranking.models) == 1:
        yield Paragraph(f"The model is better than {best}.")
    else:
        also = "is not" if ranking.unbeaten_baseline(worst) else "is better than it, too"
        last_words = f"{model_words(worst, ranking)} ({format_number(last.mean)})"
        yield Paragraph(f"The best model is better than {best}; the worst one, {last_words}, {also}.")


def _metrics(ranking: Ranking) -> Table:
    names = list(dict.fromkeys(
        name for model in ranking.models for name in model.fastest.scalars if name.startswith("test/")
    ))  # fmt: skip
    names.sort(key=lambda name: (name != f"test/{ranking.metric}", name))
    rows = []
    for model in ranking.models:
        row: list[TableCell | str | None] = [model_words(model, ranking)]
        for name in names:
            value = model.fastest.scalars.get(name)
            row.append(TableCell(value.mean, half=value.half_width) if value else None)
        rows.append(row)
    columns = (
        Column("model"),
        *(Column(name.partition("/")[2].replace("_", " "), "number") for name in names),
    )
    return Table("Test metrics of the fastest run of each model", columns, rows)


def _seeds(results: TaskResults, ranking: Ranking) -> Table:
    columns = (
        Column("trial"), Column("model"), Column("run by"), Column("seed", "integer"),
        Column(ranking.metric.replace("_", " "), "number"),
    )  # fmt: skip
    rows = [
        [
            TableCell(record.trial_id, record.trial_id[:8], results.pages.get(record.trial_id, "")),
            model_words(model, ranking),
            ranking.way(run),
            record.trial.seed,
            record.scalars.get(f"test/{ranking.metric}"),
        ]
        for model in ranking.models
        for run in model.runs
        for record in run.records
    ]
    return Table("Ranked trials", columns, rows[:MOST_SEED_ROWS])


def _samples(results: TaskResults, found: Answer) -> Iterator[Block]:
    """Exhibits of the best model that has any; curves are drawn for all models together."""
    models = [found.best, *(model for model in (results.ranking.models if results.ranking else ()))]
    first = next((pair for model in models if (pair := _exhibited(results, model))), None)
    if first is None:
        return
    model, entry = first
    assert results.ranking is not None
    exhibits = _alone(entry)
    name = model_words(model, results.ranking)
    which = "the best model" if model is found.best else "the best model that has any to show"
    yield Paragraph((f"Of {which}, ", Link(f"{name}, seed {entry.record.trial.seed}", entry.page), ":"))
    yield Grid(tuple(Display(one) for one in exhibits[:EXHIBITS]), wide=True)
    if len(exhibits) > EXHIBITS:
        more = format_count(len(exhibits) - EXHIBITS, "more")
        yield Paragraph((f"There are {more} on ", Link("the trial's page", entry.page), "."), "note")


def _exhibited(results: TaskResults, model: Model) -> tuple[Model, Entry] | None:
    """The model's first trial that has exhibits to show which can be read."""
    own = {record.trial_id for run in model.runs for record in run.records}
    for entry in results.entries:
        if entry.counts and entry.record.trial_id in own:
            try:
                if _alone(entry):
                    return model, entry
            except StoreError:
                continue
    return None


def _alone(entry: Entry) -> list[Exhibit]:
    """The exhibits that are shown of one trial. Raises StoreError."""
    return [one for one in entry.exhibits() if one.kind != "curve"]
