"""What was run, when and on what, and what is not in any ranking, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchsuite.analysis.exclusions import OTHER_SEED, exclusions
from benchsuite.analysis.identity import Labels
from benchsuite.analysis.validity import is_ranked, sequences_per_second
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
from benchsuite.schema import INVALID_TIMING

MOST_REASONS = 40
"""Reasons that the overview lists; the table of trials has them all."""


def excluded(results: TaskResults) -> str:
    """`2 trials failed, 1 diverged`: what ran and is in no ranking, or has no valid timing; "" where there is
    nothing."""
    found: dict[str, int] = {}
    for one in exclusions(results.records):
        if one.kind != "skipped":
            found[one.kind] = found.get(one.kind, 0) + len(one.records)
    return format_list([f"{number} {_phrase(kind)}" for kind, number in found.items()])


def _phrase(kind: str) -> str:
    if kind in INVALID_TIMING:
        return f"with a refused timing ({kind})"
    return {
        "parity breach": "in breach of parity",
        "timeout": "timed out",
        OTHER_SEED: "because another seed is not",
    }.get(kind, kind)


def ran_section(data: ReportData) -> PageSection:
    """What was run, on what, when; how much failed or was skipped and why."""
    return PageSection("What was run", tuple(_ran(data)))


def _ran(data: ReportData) -> Iterator[Block]:
    records = [entry.record for entry in data.entries]
    started = [record.started for record in records if record.started > 0]
    finished = [record.finished for record in records if record.finished > 0]
    ok = sum(is_ranked(record) for record in records)
    timed = sum(sequences_per_second(record) is not None for record in records)
    busy = sum(max(0.0, record.finished - record.started) for record in records)
    facts = [
        Fact("trials", len(records), "integer"),
        Fact("ranked", ok, "integer", "ended well, and agrees with the float64 reference"),
        Fact("with a valid timing", timed, "integer"),
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
        for damage in study.damage:
            yield Paragraph(f"{damage.sentence(study.name).rstrip('.')}.", "warning")
    yield reasons_block(data)


def reasons_block(data: ReportData) -> Block:
    """The table of what is not ranked or not timed, or the sentence that nothing is."""
    table = reasons_table(data.entries, data.label)
    if table is not None:
        return table
    if not data.entries:
        return Paragraph("There is no trial.")
    if any(study.damage for study in data.studies):
        return Paragraph("Every trial whose record can be read ended well and is ranked.")
    return Paragraph("Every trial ended well and is ranked, and no timing is refused.")


def reasons_table(entries: Sequence[Entry], label: Labels) -> Table | None:
    """What is not ranked, or has its timing refused, by reason, the gravest first; None where nothing is."""
    rows = list(_reasons(entries, label))
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
    return Table("Not ranked or not timed, and why", columns, rows[:MOST_REASONS], note)


def _reasons(entries: Sequence[Entry], label: Labels) -> Iterable[list[TableCell | int | str]]:
    pages = {id(entry.record): entry.page for entry in entries}
    for one in exclusions(entry.record for entry in entries):
        first = one.records[0]
        yield [
            TableCell(one.kind, mark="bad" if one.is_grave else ""),
            len(one.records),
            one.reason if len(one.reason) <= 200 else f"{one.reason[:200]}…",
            TableCell(label(first.trial), page=pages[id(first)]),
        ]
