"""Every trial in one table, and all of their figures as a file."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.analysis.decay import MOMENTS, gradient_decay
from benchsuite.analysis.validity import (
    breaks_parity,
    problem_reason,
    sequences_per_second,
    unsteady,
)
from benchsuite.contracts.report import (
    Column,
    Link,
    Mark,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
    Words,
)
from benchsuite.report.data import Entry, ReportData
from benchsuite.report.formatting import format_count, format_value
from benchsuite.report.raw import JOURNALS_FILE, TRIALS_FILE
from benchsuite.report.site import Page
from benchsuite.schema import Record, Status
from benchsuite.schema.names import NO_CELL

COLUMNS = (
    Column("trial"),
    Column("study", filter=True),
    Column("machine", filter=True),
    Column("task", filter=True),
    Column("cell", filter=True),
    Column("architecture", filter=True),
    Column("backend", filter=True),
    Column("unroll", filter=True),
    Column("device", filter=True),
    Column("precision", filter=True),
    Column("hidden", "integer", "units of a recurrent layer"),
    Column("seed", "integer"),
    Column("status", help="how the trial ended", filter=True),
    Column("parity", "share", "largest error as a share of its tolerance; above 100 % is a breach"),
    Column("metric", "mixed", "the task's own metric on the test split"),
    Column("sequences/s", "rate", "training speed in the steady state; ~ marks a timing that was not steady"),
    Column("memory", "bytes", "highest resident memory of the worker while it trained"),
    Column(
        "gradient before",
        help="verdict on the gradient on its way back in time, before training",
        filter=True,
    ),
    Column("gradient after", help="the same after training", filter=True),
)
STATUS_MARKS: dict[Status, Mark] = {Status.OK: "", Status.SKIPPED: "dim"}
TELLING = ("study", "machine", "unroll", "device", "precision", "hidden", "seed")
"""Columns that are left out where all trials agree."""
ALL: Words = (
    "The CSV of the table has the columns shown. In full: ",
    Link("every field and every scalar of every trial (CSV)", f"file:{TRIALS_FILE}"),
    ", ",
    Link("the records themselves (JSON lines, gzip)", f"file:{JOURNALS_FILE}"),
    "; benchsuite export writes Parquet and JSON as well.",
)


def trials_page(data: ReportData) -> Page:
    """A row a record, sortable and filterable, each leading to the trial's own page."""
    titles = {entry.page: results.title for results in data.tasks for entry in results.entries}
    rows: list[list[Value | TableCell]] = [
        [
            TableCell(entry.record.trial_id, entry.record.trial_id[:8], entry.page),
            entry.study.name,
            entry.machine.name,
            *_row(entry, titles[entry.page]),
        ]
        for entry in data.entries
    ]
    kept = [
        at
        for at, column in enumerate(COLUMNS)
        if column.name not in TELLING or _differ(row[at] for row in rows)
    ]
    table = Table("Trials", tuple(COLUMNS[at] for at in kept), [[row[at] for at in kept] for row in rows])
    return Page(
        "trials",
        "Every trial",
        (PageSection("", (table, Paragraph(ALL, "note"))),),
        f"{format_count(len(rows), 'trial')}: every row leads to a page with all figures of the trial, its "
        "curves, its environment and the command that reproduces it.",
        "Trials",
    )


def _differ(values: Iterable[Value | TableCell]) -> bool:
    return len(set(values)) > 1


def _row(entry: Entry, title: str) -> list[Value | TableCell]:
    record, trial = entry.record, entry.record.trial
    scalars = record.scalars
    return [
        title,
        "" if trial.cell == NO_CELL else trial.cell,
        trial.architecture,
        trial.backend,
        trial.execution.unroll,
        trial.execution.device,
        trial.execution.precision,
        trial.size.hidden,
        trial.seed,
        TableCell(str(record.status), mark=STATUS_MARKS.get(record.status, "bad"), title=brief(record.reason)),
        _parity(record),
        scalars.get(f"test/{record.primary}"),
        _speed(record),
        scalars.get("memory/peak_bytes"),
        *(found.verdict if (found := gradient_decay(record, when)) else "" for when in MOMENTS),
    ]  # fmt: skip


def _speed(record: Record) -> TableCell:
    speed = sequences_per_second(record)
    if speed is None:
        return TableCell(None, title=problem_reason(record))
    if unsteady(record):
        return TableCell(speed, format_value(speed, rough=True), mark="unsure", title=unsteady(record))
    return TableCell(speed)


def _parity(record: Record) -> Value | TableCell:
    ratio = record.scalars.get("parity/worst_ratio")
    return TableCell(ratio, mark="bad") if breaks_parity(record) else ratio


def brief(text: str) -> str:
    return text.strip().partition("\n")[0]
