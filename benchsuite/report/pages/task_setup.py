"""What a task is, how large its data are, and what was trained on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchsuite.analysis.ranking import Ranking
from benchsuite.contracts.report import Column, Fact, Facts, Table, TableCell, Value
from benchsuite.contracts.task import TaskEntry
from benchsuite.plugins import registry
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_number
from benchsuite.report.pages.rankings import model_words
from benchsuite.schema import Status, Trial, known_cells
from benchsuite.schema.names import ARCHITECTURES, NO_CELL

WHOLE_NUMBERS = re.compile("[0-9]+")
COUNTED = ("model/parameters", "train/epochs", "train/steps")


def task_entry(trial: Trial) -> TaskEntry | None:
    """What its plugin says of the task; None where that is not installed here."""
    return registry().tasks.get(trial.task)


def task_facts(results: TaskResults) -> Facts:
    """The task, its data and their sizes, and how its trials ended."""
    trials = [entry.record.trial for entry in results.entries]
    first = trials[0]
    entry = task_entry(first)
    source = entry.sources.get(first.source, "") if entry else ""
    statuses = {status: sum(entry.record.status is status for entry in results.entries) for status in Status}
    ended = ", ".join(f"{number} {status}" for status, number in statuses.items() if number)
    return Facts(
        "",
        (
            Fact("task", f"{first.task}: {entry.summary}" if entry else first.task),
            Fact("source", f"{first.source}: {source}" if source else first.source),
            *(Fact(name, value) for name, value in sorted(first.options.items())),
            *_sizes(results),
            Fact("licence of the data", _told(results, "data.licence") or None),
            Fact("machine", results.machine.name),
            Fact("trials", ended),
            *(
                Fact(name, known_cells()[name].summary)
                for name in dict.fromkeys(one.cell for one in trials)
                if name in known_cells()
            ),
            *(
                Fact(name, ARCHITECTURES.get(name, ""))
                for name in dict.fromkeys(one.architecture for one in trials)
            ),
        ),
    )


def _sizes(results: TaskResults) -> Iterator[Fact]:
    rows, steps = _told(results, "data.rows"), _told(results, "data.steps")
    if rows:
        yield Fact("sequences", rows)
        yield Fact(
            "time steps of a sequence",
            WHOLE_NUMBERS.sub(lambda number: f"{int(number[0]):,}", steps),
            help="the shortest and the longest of the training split",
        )
        return
    found = {
        round(record.scalars["train/sequences"] / record.scalars["train/epochs"])
        for record in results.records
        if record.scalars.get("train/epochs") and "train/sequences" in record.scalars
    }
    if found:
        low, high = min(found), max(found)
        text = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        yield Fact("sequences trained in an epoch", text, help="those that fill a batch")


def _told(results: TaskResults, fact: str) -> str:
    known = {entry.record.environment.get(fact, "") for entry in results.entries} - {""}
    return "; ".join(sorted(known))


def setups_table(results: TaskResults, ranking: Ranking) -> Table:
    """Size and recipe of each model: what a reader would have to set to train it again."""
    columns = (
        Column("model"),
        Column("hidden", "integer", "units of a recurrent layer"),
        Column("layers", "integer", "recurrent layers, one above the other"),
        Column("parameters", "integer", "that are trained"),
        Column("epochs", "integer", "that were trained, mean over seeds"),
        Column("steps", "integer", "of the optimiser, mean over seeds"),
        Column("batch", "integer", "sequences of a step"),
        Column("optimiser"),
        Column("learning rate", "mixed"),
        Column("clipping"),
        Column("precision"),
    )
    rows: list[list[Value | TableCell]] = []
    for model in ranking.models:
        trial, scalars = model.fastest.trial, model.fastest.scalars
        recipe, has_cell = trial.recipe, trial.cell != NO_CELL
        counted = [scalars[name].mean if name in scalars else None for name in COUNTED]
        rows.append(
            [
                TableCell(
                    model_words(model, ranking), page=results.pages.get(model.fastest.records[0].trial_id, "")
                ),
                trial.size.hidden if has_cell else None,
                trial.size.layers if has_cell else None,
                *counted,
                recipe.batch_size,
                recipe.optimiser,
                recipe.learning_rate,
                "none" if recipe.clip == "none" else f"{recipe.clip} at {format_number(recipe.clip_at)}",
                trial.execution.precision,
            ]
        )
    return Table("Sizes and recipes", columns, rows)
