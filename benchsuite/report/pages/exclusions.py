"""What was run, when and on what, and what is not in any ranking, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchsuite.contracts.report import (
    Block,
    Column,
    Fact,
    Facts,
    PageSection,
    Paragraph,
    Table,
    TableCell,
)
from benchsuite.report.data import Entry, ReportData, TaskResults
from benchsuite.report.formatting import format_count, format_list
from benchsuite.schema import Record, Status

GRAVEST_FIRST = ("parity breach", "failed", "killed", "timeout", "unsynchronised", "diverged", "skipped")
MOST_REASONS = 40
"""Reasons that the overview lists; the table of trials has them all."""


def trouble(record: Record) -> str:
    """Why a record is in no ranking, in a word or two; "" where nothing is wrong with it."""
    if record.status is not Status.OK:
        return str(record.status)
    if record.verdicts.get("parity") == "breach":
        return "parity breach"
    if record.verdicts.get("speed") == "unsynchronised":
        return "unsynchronised"
    return "" if record.ranked else "parity not checked"


def excluded(results: TaskResults) -> str:
    """`2 trials failed, 1 diverged`: what ran and is in no ranking; "" where there is nothing."""
    found: dict[str, int] = {}
    for record in results.records:
        kind = trouble(record)
        if kind not in ("", "unsynchronised", "skipped"):
            found[kind] = found.get(kind, 0) + 1
    words = [f"{number} {_phrase(kind)}" for kind, number in sorted(found.items(), key=_gravity)]
    return format_list(words)


def _phrase(kind: str) -> str:
    return {"parity breach": "in breach of parity", "timeout": "timed out"}.get(kind, kind)


def _gravity(item: tuple[str, int]) -> int:
    return GRAVEST_FIRST.index(item[0]) if item[0] in GRAVEST_FIRST else len(GRAVEST_FIRST)


def ran_section(data: ReportData) -> PageSection:
    """What was run, on what, when; how much failed or was skipped and why."""
    return PageSection("What was run", tuple(_ran(data)))


def _ran(data: ReportData) -> Iterator[Block]:
    records = [entry.record for entry in data.entries]
    started = [record.started for record in records if record.started > 0]
    finished = [record.finished for record in records if record.finished > 0]
    ok = sum(record.ranked for record in records)
    busy = sum(max(0.0, record.finished - record.started) for record in records)
    facts = [
        Fact("trials", len(records), "integer"),
        Fact("ranked", ok, "integer", "ended well, and parity with the reference was proved"),
        Fact("first trial began", min(started, default=0.0), "date"),
        Fact("last trial ended", max(finished, default=0.0), "date"),
        Fact(
            "time of all trials",
            busy or None,
            "seconds",
            "the sum over trials, which may have run side by side",
        ),
        *(Fact("machine", machine.name) for machine in data.machines),
        Fact("backends", format_list(sorted({record.trial.backend for record in records}))),
        Fact("details", TableCell("hardware, versions, data, protocol", page="methods")),
    ]
    yield Facts("", tuple(facts))
    if len(data.machines) > 1:
        yield Paragraph("Rankings never mix hardware: each machine has its own.", "note")
    if data.repeated:
        yield Paragraph(
            f"{format_count(data.repeated, 'record')} of trials that were run again on the same machine are "
            "shown, but do not count: the latest one does.",
            "note",
        )
    for study in data.studies:
        if study.interrupted:
            yield Paragraph(f"The run of {study.name} was interrupted.", "warning")
    table = reasons_table(data.entries)
    yield table if table else Paragraph("Every trial ended well and is ranked.")


def reasons_table(entries: Sequence[Entry]) -> Table | None:
    """What is not ranked, by reason, the gravest first; None where everything is."""
    rows = list(_reasons(entries))
    if not rows:
        return None
    columns = (
        Column("what"),
        Column("trials", "integer"),
        Column("reason"),
        Column("example"),
    )
    left = len(rows) - MOST_REASONS
    note = f"{format_count(left, 'more reason')} in the table of trials." if left > 0 else ""
    return Table("Not ranked, and why", columns, rows[:MOST_REASONS], note)


def _reasons(entries: Sequence[Entry]) -> Iterable[list[TableCell | int | str]]:
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        kind = trouble(entry.record)
        if kind:
            reason = (entry.record.reason or entry.record.exception or "no reason given").strip()
            groups.setdefault((kind, reason.partition("\n")[0]), []).append(entry)
    for (kind, reason), members in sorted(
        groups.items(), key=lambda item: (_gravity((item[0][0], 0)), -len(item[1]))
    ):
        grave = kind in GRAVEST_FIRST[:5]
        yield [
            TableCell(kind, mark="bad" if grave else ""),
            len(members),
            reason if len(reason) <= 200 else f"{reason[:200]}…",
            TableCell(members[0].record.trial.label, page=members[0].page),
        ]
