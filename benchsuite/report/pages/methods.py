"""How it was measured: hardware, software, data, protocol, definitions, and how to cite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from benchsuite.analysis.machines import Machine
from benchsuite.contracts.report import (
    Block,
    Column,
    Command,
    Details,
    Fact,
    Facts,
    Grid,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.data.citation import citation_file
from benchsuite.report.commands import reproduce_command
from benchsuite.report.data import ReportData
from benchsuite.report.figures import FIGURES, plain
from benchsuite.report.formatting import format_count, format_date, format_list
from benchsuite.report.pages.methods_cells import cell_blocks
from benchsuite.report.prose import prose
from benchsuite.report.site import Page
from benchsuite.schema import Record
from benchsuite.schema.thresholds import DISTURBED, STABLE, TOLERANCES, UNSTABLE

LONG_FACT = 300
"""Characters above which a fact of the environment is shown folded."""
TOLERANCE_NAMES = {"loss, predictions": "forward", "dL/dh": "states", "every gradient": "gradients"}
VALUES = 6
"""Values of a fact that its cell names."""
FOREIGN = ("hardware.", "data.", "artifact.", "metric.", "plugin.")
"""Beginnings of facts that have another place than the table of software."""


def methods_page(data: ReportData) -> Page:
    """All that a reader needs to judge the figures, or to measure them again."""
    sections = [
        PageSection("Hardware", tuple(_hardware(data))),
        PageSection("Software", tuple(_software(data))),
        PageSection("Cells", tuple(cell_blocks(record.trial for record in data.records))),
        PageSection("Data", tuple(_data(data))),
        PageSection("Protocol", tuple(_protocol())),
        PageSection("What the figures mean", tuple(_definitions())),
        PageSection("What was asked for", tuple(_matrices(data))),
        PageSection("How to cite", tuple(_citation(data))),
    ]
    lead = "What ran where, on which data, how it was timed, and what every figure means."
    return Page("methods", "Methods and environment", tuple(sections), lead, "Methods")


def _hardware(data: ReportData) -> Iterator[Block]:
    blocks = []
    for machine in data.machines:
        records = [entry.record for entry in data.entries if entry.machine == machine]
        blocks.append(Facts(machine.name, tuple(_machine(machine, records))))
    yield Grid(tuple(blocks))
    if len(blocks) > 1:
        yield Paragraph("Figures of different machines are never ranked together.", "note")


def _machine(machine: Machine, records: list[Record]) -> Iterator[Fact]:
    known = dict(machine.facts)
    for record in records:
        for name in ("hardware.memory_bytes", "system.platform", "system.libc"):
            if name in record.environment:
                known.setdefault(name, record.environment[name])
    for name, text in known.items():
        own = name.partition(".")[2].replace("_", " ")
        if name == "hardware.memory_bytes" and text.isdecimal():
            yield Fact("memory", float(text), "bytes")
        else:
            yield Fact(own, text)
    devices = sorted({record.trial.execution.device for record in records})
    threads = sorted({record.trial.execution.threads for record in records})
    yield Fact("devices used", ", ".join(devices))
    yield Fact("threads per trial", ", ".join(map(str, threads)))
    allocators = sorted({record.trial.execution.allocator for record in records})
    yield Fact("memory allocator", ", ".join(allocators))


def _software(data: ReportData) -> Iterator[Block]:
    """Every fact that is no hardware or data, with all its values."""
    values: dict[tuple[str, str], dict[str, int]] = {}
    long: dict[str, dict[str, int]] = {}
    for entry in data.entries:
        record = entry.record
        for name, text in record.environment.items():
            if name.startswith(FOREIGN) or name in ("system.platform", "system.libc"):
                continue
            if len(text) > LONG_FACT:
                found = long.setdefault(name, {})
            else:
                backend = record.trial.backend if name.startswith("backend.") else ""
                found = values.setdefault((backend, name), {})
            found[text] = found.get(text, 0) + 1
    rows: list[list[Value | TableCell]] = [
        [
            TableCell(backend or "all", mark="" if backend else "dim"),
            name,
            _several(found),
            sum(found.values()),
        ]
        for (backend, name), found in sorted(values.items())
    ]
    columns = (
        Column("backend", filter=True),
        Column("fact"),
        Column("value", help="where trials differ, each value with its number of trials"),
        Column("trials", "integer"),
    )
    if rows:
        yield Table("Software and settings", columns, rows)
    for name, found in sorted(long.items()):
        for text, number in sorted(found.items(), key=lambda item: -item[1]):
            yield Details(f"{name} of {format_count(number, 'trial')}", (Paragraph(text),))


def _several(found: dict[str, int]) -> str:
    if len(found) == 1:
        return next(iter(found))
    most = sorted(found.items(), key=lambda item: -item[1])[:VALUES]
    words = [f"{text} ({number})" for text, number in most]
    left = len(found) - len(most)
    return "; ".join([*words, *([f"and {left} more"] if left else [])])


def _data(data: ReportData) -> Iterator[Block]:
    rows: dict[tuple[str, ...], int] = {}
    for entry in data.entries:
        facts, trial = entry.record.environment, entry.record.trial
        if "data.sha256" in facts:
            options = ", ".join(f"{name}={value}" for name, value in sorted(trial.options.items()))
            made = [
                f"{name}: {facts[name]}"
                for name in sorted(facts)
                if name.startswith(("artifact.", "metric."))
            ]
            key = (
                f"{trial.task} / {trial.source}", options, facts.get("data.licence", "not stated"),
                facts["data.sha256"], "; ".join(made),
            )  # fmt: skip
            rows[key] = rows.get(key, 0) + 1
    if not rows:
        yield Paragraph("No trial said which data it used.", "note")
        return
    extra = any(key[4] for key in rows)
    columns = (
        Column("data"),
        Column("options"),
        Column("licence"),
        Column(
            "SHA-256", help="over the arrays of all splits and the vocabulary: equal content, equal digest"
        ),
        *(
            [Column("made and scored with", help="hashes of tokenisers, signatures of metrics")]
            if extra
            else []
        ),
        Column("trials", "integer"),
    )
    yield Table(
        "Data sets",
        columns,
        [
            [
                name,
                options,
                licence,
                TableCell(digest, digest[:16], title=digest),
                *([made] if extra else []),
                number,
            ]
            for (name, options, licence, digest, made), number in rows.items()
        ],
        "The CSV holds the digests in full. Equal options give equal data, bit for bit; seeds change initial "
        "weights and the order of batches, not the data.",
    )


def _protocol() -> Iterator[Block]:
    yield from prose("methods_protocol", stable=STABLE, unstable=UNSTABLE, disturbed=DISTURBED)
    rows: list[list[Value | TableCell]] = [
        [name, *(getattr(tolerances, field) for tolerances in TOLERANCES.values())]
        for name, field in TOLERANCE_NAMES.items()
    ]
    columns = (Column("quantity"), *(Column(precision, "scientific") for precision in TOLERANCES))
    yield Table("Tolerances of parity", columns, rows)


def _definitions() -> Iterator[Block]:
    yield Paragraph(
        "Times are seconds, sizes are bytes, losses are in nats or in squared (absolute) units of the scaled "
        "target."
    )
    rows = [[plain(each.names), plain(each.meaning)] for each in FIGURES]
    yield Table("Figures of a trial", (Column("name"), Column("is")), rows)


def _matrices(data: ReportData) -> Iterator[Block]:
    for study, description in zip(data.studies, data.descriptions, strict=True):
        matrix = description.get("matrix")
        text = matrix.get("text") if isinstance(matrix, dict) else None
        name = f"study {study.name}"
        created = description.get("created")
        begun = f", begun {format_date(created)}" if isinstance(created, float) else ""
        if isinstance(text, str) and text:
            yield Details(f"The matrix of {name}{begun}", (Command(text),))
        else:
            yield Paragraph(f"The matrix of {name} is not a TOML file{begun}.", "note")
        yield reproduce_command(study)
    yield Paragraph(
        "It runs every ranked trial again and compares each figure with the recorded one.", "note"
    )


def _citation(data: ReportData) -> Iterator[Block]:
    path = citation_file()
    fields = (
        dict(re.findall(r'^(\w[\w-]*): "?([^"\n]+)"?$', path.read_text("utf-8"), re.MULTILINE))
        if path
        else {}
    )
    title = fields.get("title", "benchsuite")
    lists = {entry.record.environment.get("python.distributions", "") for entry in data.entries}
    versions = sorted({one for text in lists for one in re.findall(r"\bbenchsuite==([^,\s]+)", text)})
    finished = max((entry.record.finished for entry in data.entries), default=0.0)
    year = datetime.fromtimestamp(finished, UTC).year if 0 < finished < 2.5e11 else None
    said = f", version {format_list(versions)}" if versions else ""
    yield Paragraph(
        f"Name the suite, its version and the hardware. These figures were made with benchsuite{said}, on "
        f"{format_list([machine.name for machine in data.machines])}."
    )
    bibtex = [
        "@software{benchsuite,",
        f"  title   = {{{title}}},",
        "  author  = {{The benchsuite authors}},",
        *([f"  version = {{{versions[-1]}}},"] if versions else []),
        *([f"  year    = {{{year}}},"] if year else []),
        "}",
    ]
    yield Command("\n".join(bibtex))
