"""What a study says, in the terminal: by task the models and who runs them, and what is not in these tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.text import Text

from benchsuite.analysis.exclusions import Excluded, exclusions
from benchsuite.analysis.identity import Labels, task_title
from benchsuite.analysis.ranking import Ranking, rankings
from benchsuite.analysis.validity import is_failure
from benchsuite.cli.summary_models import print_models
from benchsuite.cli.summary_runs import print_runs
from benchsuite.report.formatting import format_count
from benchsuite.schema import Record, Trial

EXAMPLES = 5
"""Trials that are named for each reason something went wrong."""


def print_summary(
    console: Console, records: Sequence[Record], label: Callable[[Trial], str] | None = None
) -> None:
    """Print the tables of every ranking, and the list of what is not ranked or not timed.

    :param label: what trials are called in their study; by default what tells these records apart.
    """
    found = rankings(records)
    for ranking in found:
        title = _title(ranking, found)
        print_models(console, ranking, title)
        print_runs(console, ranking, title)
    for heading, lines in problems(records, label):
        console.print(Text(heading, style="bold"))
        for line in lines:
            console.print(Text(f"  {line}"))
    if not records:
        console.print("no records")


def _title(ranking: Ranking, others: Sequence[Ranking]) -> str:
    """`time_series / etth1 horizon=24 on AMD EPYC`: the options that tell it from other rankings of the
    source, and the machine where there are several."""
    where = f" on {ranking.machine.name}" if len({one.machine for one in others}) > 1 else ""
    if not ranking.models:
        return f"{ranking.task} / {ranking.source}{where}"
    trials = [one.models[0].fastest.trial for one in others if one.models]
    return f"{task_title(ranking.models[0].fastest.trial, trials)}{where}"


def problems(
    records: Iterable[Record], label: Callable[[Trial], str] | None = None
) -> list[tuple[str, list[str]]]:
    """What keeps trials out of the ranking or refuses their timing: (heading, lines), gravest first, equal
    reasons together."""
    found = list(records)
    name = label or Labels(record.trial for record in found)
    kinds: dict[str, list[Excluded]] = {}
    for one in exclusions(found):
        kinds.setdefault(one.kind, []).append(one)
    made = []
    for kind, members in kinds.items():
        lines: list[str] = []
        for one in members:
            count = len(one.records)
            lines.append(f"{one.reason} ({format_count(count, 'trial')})")
            lines += [f"  {name(record.trial)} [{record.trial_id}]" for record in one.records[:EXAMPLES]]
            if count > EXAMPLES:
                lines.append(f"  and {count - EXAMPLES} more")
        made.append((f"{kind}: {sum(len(one.records) for one in members)}", lines))
    return made


def failed(records: Iterable[Record]) -> bool:
    """Whether the command that made these records must end with 1."""
    return any(map(is_failure, records))
