"""The page of one trial: all that is known of it, and the command that runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from benchsuite.contracts import (
    Cell,
    Command,
    Curves,
    Details,
    Display,
    Fact,
    Facts,
    Grid,
    Line,
    Link,
    Paragraph,
    Section,
)
from benchsuite.contracts.report import Block, Form
from benchsuite.errors import StoreError
from benchsuite.matrix.fields import flatten
from benchsuite.report.material import Board, Entry
from benchsuite.report.site import Page
from benchsuite.spec import Series, Status

GROUPS = {
    "test": "Test split",
    "val": "Validation split",
    "train": "Training",
    "speed": "Speed",
    "memory": "Memory",
    "gradient": "Gradients",
    "parity": "Parity",
    "model": "Model",
}
LONG_FACT = 300
"""Characters above which a fact of the environment is folded."""


def trial_page(entry: Entry, board: Board) -> Page:
    record = entry.record
    problems: list[Block] = []
    try:
        series: Sequence[Series] = entry.series()
        exhibits = entry.exhibits()
    except StoreError as error:
        series, exhibits = [], []
        problems.append(Paragraph(f"What lies beside the journal cannot be read: {error}", "warning"))
    sections = [
        Section("", (*problems, *_head(entry, board))),
        Section("Reproduce", _reproduce(entry)),
        Section("Figures", tuple(_figures(entry))),
    ]
    curves = tuple(_curves(series))
    if curves:
        sections.append(Section("Curves", (Grid(curves),)))
    if exhibits:
        sections.append(Section("What it produced", tuple(Display(one) for one in exhibits)))
    sections += [
        Section(
            "Settings", (Facts("", tuple(Fact(name, _plain(value)) for name, value in _settings(entry))),)
        ),
        Section("Environment", tuple(_environment(entry))),
    ]
    if record.exception or record.output_tail:
        sections.insert(1, Section("What went wrong", tuple(_trouble(entry))))
    return Page(entry.page, record.trial.label, tuple(sections))


def _head(entry: Entry, board: Board) -> Iterable[Block]:
    record = entry.record
    if record.reason:
        tone = "note" if record.status in (Status.OK, Status.SKIPPED) else "warning"
        yield Paragraph(record.reason, "warning" if tone == "warning" else "note")
    verdicts = [Fact(name, word) for name, word in sorted(record.verdicts.items())]
    yield Facts(
        "",
        (
            Fact("trial", record.trial_id),
            Fact("of", Cell(board.title, page=board.key)),
            Fact("study", entry.study.name),
            Fact("machine", entry.machine.name),
            Fact("status", Cell(str(record.status), mark="" if record.status is Status.OK else "bad")),
            Fact("kernel that ran", record.kernel or None),
            *verdicts,
            Fact("started", record.started, "date"),
            Fact("took", record.finished - record.started or None, "seconds"),
        ),
    )


def _reproduce(entry: Entry) -> tuple[Block, ...]:
    return (
        Command(f"benchsuite reproduce {shlex.quote(entry.study.name)} {entry.record.trial_id}"),
        Paragraph("It runs the trial again and holds every figure to the one recorded here.", "note"),
    )


def _figures(entry: Entry) -> Iterable[Block]:
    groups: dict[str, list[Fact]] = {}
    for name, value in sorted(entry.record.scalars.items()):
        group, _, own = name.partition("/")
        groups.setdefault(group, []).append(Fact(own or name, value, form_of(name)))
    names = [*(name for name in GROUPS if name in groups), *(name for name in groups if name not in GROUPS)]
    yield Grid(tuple(Facts(GROUPS.get(name, name), tuple(groups[name])) for name in names))


def form_of(name: str) -> Form:
    """How a scalar of that name is written."""
    if name.endswith("seconds") or "_seconds_" in name:
        return "seconds"
    if name.endswith("bytes"):
        return "bytes"
    if name.endswith(("share", "share_start", "share_end", "zero_fraction_start", "zero_fraction_end")):
        return "share"
    return "scientific" if name.startswith("parity/") and name.endswith("error") else "number"


def _curves(series: Iterable[Series]) -> Iterable[Curves]:
    for one in series:
        yield Curves(one.name, (Line("", one.x, one.y),), one.axis, "")


def _settings(entry: Entry) -> Iterable[tuple[str, object]]:
    return flatten(entry.record.trial.model_dump(mode="json"))


def _environment(entry: Entry) -> Iterable[Block]:
    facts = sorted(entry.record.environment.items())
    yield Facts("", tuple(Fact(name, text) for name, text in facts if len(text) <= LONG_FACT))
    for name, text in facts:
        if len(text) > LONG_FACT:
            yield Details(name, (Paragraph(text),))
    yield Paragraph((Link("All environments of this report", "methods"), "."), "note")


def _trouble(entry: Entry) -> Iterable[Block]:
    for text in (entry.record.exception, entry.record.output_tail):
        if text:
            yield Command(text)


def _plain(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
