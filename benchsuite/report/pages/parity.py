"""How far every trial is from the float64 reference: the worst first, and what is not ranked for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import altair as alt

from benchsuite.analysis.validity import breaks_parity
from benchsuite.contracts.report import (
    Block,
    Chart,
    Column,
    Command,
    Link,
    Mark,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import backend_legend, chart, named
from benchsuite.report.data import Entry, ReportData
from benchsuite.report.figures import definition
from benchsuite.report.formatting import format_count, format_number
from benchsuite.report.pages.exclusions import reasons_block
from benchsuite.report.site import Page
from benchsuite.schema import Record
from benchsuite.schema.thresholds import TOLERANCES

WORST = "parity/worst_ratio"
WIDENED, WIDENED_FORWARD = "parity/widened", "parity/widened_forward"
ERROR_QUANTITIES = (
    ("loss", "parity/loss_error", "forward"),
    ("predictions", "parity/prediction_error", "forward"),
    ("gradients", "parity/gradient_error", "gradients"),
    ("dL/dh", "parity/state_error", "states"),
    ("first steps", "parity/step_error", "loss_10"),
)
"""What is compared with the reference, the scalar of its largest error, and the name of its tolerance."""


def parity_page(data: ReportData) -> Page | None:
    """Errors against tolerances. None where no trial was compared with the reference."""
    compared = [entry for entry in data.entries if WORST in entry.record.scalars]
    if not compared:
        return None
    compared.sort(key=lambda entry: -_ratio(entry.record))
    sections = [
        PageSection("", tuple(_answer(compared))),
        PageSection("Error against tolerance", tuple(_errors(compared))),
        PageSection("Every trial, the worst first", (_table(compared, len(data.machines) > 1),)),
    ]
    sections.append(PageSection("Not ranked or not timed, and why", (reasons_block(data),)))
    lead = (
        "Before a backend is timed, its numbers are compared with a float64 reference that starts from the "
        "same weights and batch. A trial that breaks parity is neither timed nor ranked."
    )
    return Page("parity", "Does every backend compute the same?", tuple(sections), lead, "Parity")


def _ratio(record: Record) -> float:
    """Largest error over its tolerance; infinite where it is not a number."""
    ratio = record.scalars[WORST]
    return math.inf if math.isnan(ratio) else ratio


def _answer(compared: Sequence[Entry]) -> Iterator[Block]:
    broken = [entry for entry in compared if _broken(entry.record)]
    kept = [entry for entry in compared if not _broken(entry.record)]
    said = (
        f"{format_count(len(compared), 'trial')} were compared with it; "
        if len(compared) > 1
        else "One trial was compared with it; "
    )
    if broken:
        verb = "breaks" if len(broken) == 1 else "break"
        worst = broken[0]
        yield Paragraph(
            (f"{said}{len(broken)} {verb} parity. The worst, ", _link(worst), f": {worst.record.reason}"),
            "warning",
        )
        yield Paragraph("To look into it, run the conformance kit of the backend:")
        for name in sorted({entry.record.trial.backend for entry in broken}):
            yield Command(f"benchsuite check backend {name}")
    else:
        yield Paragraph(f"{said}{'it agrees' if len(compared) == 1 else 'all of them agree'}.")
    if kept:
        worst = kept[0]
        yield Paragraph(
            (
                "Of the trials that agree, the largest error is ",
                f"{100 * _ratio(worst.record):.2g} % of its tolerance: ",
                _link(worst),
                ".",
            )
        )
    yield _by_backend(compared)


def _broken(record: Record) -> bool:
    return breaks_parity(record)


def _link(entry: Entry) -> Link:
    trial = entry.record.trial
    model = trial.model
    return Link(f"{model} on {trial.task} with {trial.backend}, seed {trial.seed}", entry.page)


def _by_backend(compared: Sequence[Entry]) -> Table:
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in compared:
        trial = entry.record.trial
        key = (trial.backend, trial.execution.device, trial.execution.precision)
        groups.setdefault(key, []).append(entry)
    rows: list[list[Value | TableCell]] = []
    for (backend, device, precision), members in groups.items():
        worst = members[0]  # the entries come with the worst first
        broken = sum(_broken(entry.record) for entry in members)
        rows.append(
            [
                backend,
                device,
                precision,
                len(members),
                TableCell(broken, mark="bad" if broken else ""),
                median(_ratio(entry.record) for entry in members),
                TableCell(_ratio(worst.record), page=worst.page, mark=_mark(_ratio(worst.record))),
            ]
        )
    rows.sort(key=lambda row: str(row[0]))
    columns = (
        Column("backend"),
        Column("device"),
        Column("precision", help="tolerances go by it"),
        Column("trials", "integer"),
        Column("breaches", "integer", "trials whose error is above its tolerance"),
        Column("median", "share", "largest error of a trial as a share of its tolerance; the median trial"),
        Column("worst", "share", "the same of the worst trial"),
    )
    return Table("Parity by backend", columns, rows)


def _mark(ratio: float) -> Mark:
    return "" if ratio <= 1 else "bad"


def _errors(compared: Sequence[Entry]) -> Iterator[Block]:
    yield Paragraph(
        "Each bar spans the errors of a backend's trials, from the smallest to the largest, as a share of "
        "what is allowed; its tick is the median. Left of the line at 1 the difference is rounding."
    )
    drawn = _chart(compared)
    yield drawn if drawn else Paragraph("Every error is exactly zero.")


def _chart(compared: Sequence[Entry]) -> Chart | None:
    """Spans of error over tolerance by quantity and backend, on a logarithmic axis; exact zeros left out."""
    groups: dict[tuple[str, str], list[float]] = {}
    for entry in compared:
        record = entry.record
        for quantity, scalar, field in ERROR_QUANTITIES:
            if scalar in record.scalars:
                ratio = record.scalars[scalar] / _allowed(record, field)
                groups.setdefault((quantity, record.trial.backend), []).append(ratio)
    rows: list[dict[str, Any]] = []
    for (quantity, backend), ratios in groups.items():
        drawn = [ratio for ratio in ratios if ratio > 0 and math.isfinite(ratio)]
        if drawn:
            rows.append(
                {"quantity": quantity, "backend": backend, "low": min(drawn), "middle": median(drawn),
                 "high": max(drawn), "trials": len(drawn), "largest": format_number(max(drawn)),
                 "typical": format_number(median(drawn))}
            )  # fmt: skip
    if not rows:
        return None
    names = [name for name, _, _ in ERROR_QUANTITIES]
    rows.sort(key=lambda row: (names.index(row["quantity"]), row["backend"]))
    legend = backend_legend(str(row["backend"]) for row in rows)
    backends = list(legend.looks)
    across = log_axis([1.0, *(row[name] for row in rows for name in ("low", "high"))])
    scale = across["scale"]
    base = alt.Chart(named()).encode(
        y=alt.Y("quantity:N", sort=names, title=None),
        yOffset=alt.YOffset("backend:N", sort=backends),
        color=legend.colour(),
        tooltip=[
            alt.Tooltip("backend:N"), alt.Tooltip("quantity:N"), alt.Tooltip("typical:N", title="median"),
            alt.Tooltip("largest:N", title="largest"), alt.Tooltip("trials:Q"),
        ],
    )  # fmt: skip
    x = alt.X("low:Q", title="error / tolerance", **across)
    spans = base.mark_rule(strokeWidth=4, opacity=0.45).encode(x=x, x2="high:Q")
    ends = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=alt.X("high:Q", scale=scale), shape=legend.shape()
    )
    ticks = base.mark_tick(thickness=2.5, size=9).encode(x=alt.X("middle:Q", scale=scale))
    line = (
        alt.Chart(named("allowed"))
        .mark_rule(strokeDash=[5, 3], color="#b3261e", strokeWidth=1.5)
        .encode(x=alt.X("x:Q", scale=scale))
    )
    worst = max(rows, key=lambda row: float(row["high"]))
    table = Table(
        "Error over tolerance by quantity and backend",
        (
            Column("quantity"),
            Column("backend"),
            Column("trials", "integer"),
            *(Column(name, "scientific") for name in ("smallest", "median", "largest")),
        ),
        [[row[name] for name in ("quantity", "backend", "trials", "low", "middle", "high")] for row in rows],
    )
    return chart(
        "Error over tolerance, by quantity and backend",
        alt.layer(spans, ends, ticks, line),
        {"rows": rows, "allowed": [{"x": 1.0}]},
        f"Spans of error over tolerance on a logarithmic axis. The largest is {worst['quantity']} of "
        f"{worst['backend']}: {format_number(float(worst['high']))}; 1 would be a breach.",
        "Trials whose error is exactly zero are not drawn. The losses of the first two steps are compared with "
        "different tolerances; drawn is the wider one.",
        table,
        height=40 + len({row["quantity"] for row in rows}) * max(30, 16 * len(backends)),
        legend=legend,
    )


def _allowed(record: Record, field: str) -> float:
    """The tolerance of a quantity, widened where the record says so."""
    allowed: float = getattr(TOLERANCES[record.trial.execution.precision], field)
    factor = WIDENED if field in ("gradients", "states") else WIDENED_FORWARD
    return allowed * record.scalars.get(factor, 1.0)


def _widest(record: Record) -> float:
    """The larger one of the factors by which its tolerances were widened."""
    return max(record.scalars.get(name, 1.0) for name in (WIDENED, WIDENED_FORWARD))


def _table(compared: Sequence[Entry], several: bool) -> Table:
    wide = any(_widest(entry.record) > 1 for entry in compared)
    columns = [
        Column("trial"),
        Column("task", filter=True),
        Column("model", filter=True),
        Column("backend", filter=True),
        Column("unroll", filter=True),
        Column("precision", filter=True),
        Column("of tolerance", "share", "largest error as a share of its tolerance: above 100 % is a breach"),
        Column("parity", filter=True),
        *(
            Column(name, "scientific", f"largest relative error: {scalar}")
            for name, scalar, _ in ERROR_QUANTITIES
        ),
    ]
    if wide:
        columns.append(Column("widened", "number", definition(WIDENED)))
    if several:
        columns.append(Column("machine", filter=True))
    rows = [_row(one, wide, several) for one in compared]
    return Table("Errors against the float64 reference", tuple(columns), rows)


def _row(entry: Entry, wide: bool, several: bool) -> list[Value | TableCell]:
    record, trial = entry.record, entry.record.trial
    ratio = _ratio(record)
    model = trial.model
    word = record.verdicts.get("parity", "")
    row: list[Value | TableCell] = [
        TableCell(record.trial_id, record.trial_id[:8], entry.page),
        f"{trial.task} / {trial.source}",
        model,
        trial.backend,
        trial.execution.unroll,
        trial.execution.precision,
        TableCell(ratio, mark=_mark(ratio)),
        TableCell(
            word, mark="bad" if word == "breach" else "", title=record.reason if word == "breach" else ""
        ),
        *(record.scalars.get(scalar) for _, scalar, _ in ERROR_QUANTITIES),
    ]
    if wide:
        row.append(_widest(record))
    return [*row, entry.machine.name] if several else row
