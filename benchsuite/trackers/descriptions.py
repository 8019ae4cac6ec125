"""What MLflow shows of a run in words: who made it with which command, and a sentence of what it is."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchsuite.analysis.answers import answer
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.validity import problem_reason, sequences_per_second
from benchsuite.contracts.study import results_folder
from benchsuite.report.formatting import format_count, format_number, format_value
from benchsuite.running.shards import parse_shard
from benchsuite.running.study.asked import read_asked
from benchsuite.schema import Record, Status
from benchsuite.schema.names import NO_CELL

NOTE = "mlflow.note.content"
COMMAND_WITHOUT_MATRIX = "benchsuite run"


def source_tags(description: Mapping[str, Any]) -> dict[str, str]:
    """The command that made a study and the user who records it, as MLflow's own tags.

    :param description: what study.json holds.
    """
    asked = read_asked(description)
    command = COMMAND_WITHOUT_MATRIX
    if asked:
        shard = parse_shard(asked[0].shard) if asked[0].shard else None
        command = asked[0].command(results_folder(), shard)
    return {"mlflow.source.name": command, "mlflow.source.type": "LOCAL", "mlflow.user": _user()}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name belongs to the process's user, as in some containers
        return "unknown"


def trial_sentence(record: Record) -> str:
    """What a trial was and how it ended, in one sentence."""
    trial = record.trial
    units = "" if trial.cell == NO_CELL else f" with {trial.size.hidden} hidden units"
    what = (
        f"{trial.model}{units} on {trial.task} / {trial.source}, run by {trial.backend} "
        f"({trial.execution.unroll}, {trial.execution.device}, {trial.execution.precision}), seed {trial.seed}"
    )
    if record.status is not Status.OK:
        return f"{what}: {record.status}, {problem_reason(record)}."
    said = []
    value = record.scalars.get(f"test/{record.primary}")
    if value is not None:
        said.append(f"test {record.primary.replace('_', ' ')} {format_value(value)}")
    if (speed := sequences_per_second(record)) is not None:
        said.append(f"{format_number(speed)} training sequences per second")
    if reason := problem_reason(record):
        said.append(reason)
    return f"{what}: {', '.join(said)}." if said else f"{what}."


def study_text(
    name: str, records: Sequence[Record], rankings: Sequence[Ranking], link: Callable[[str], str]
) -> str:
    """The study's description in Markdown: a sentence, and a row for each ranking with its best model.

    :param link: task -> address of the task's charts.
    """
    tasks = len({ranking.task for ranking in rankings})
    lines = [f"Study {name}: {format_count(len(records), 'trial')} of {format_count(tasks, 'task')}.", ""]
    if rankings:
        lines += ["| task | best model | metric | models | charts |", "|---|---|---|---|---|"]
    for ranking in rankings:
        found = answer(ranking)
        best, value = "no result", ""
        if found is not None and found.best.metric is not None:
            metric = found.best.metric
            best = found.best.name
            value = f"{ranking.metric.replace('_', ' ')} {format_value(metric.mean, metric.half_width)}"
        title = f"{ranking.task} / {ranking.source}"
        cells = (title, best, value, str(len(ranking.models)), f"[open]({link(ranking.task)})")
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)
