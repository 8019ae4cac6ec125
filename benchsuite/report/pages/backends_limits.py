"""How a step's time grows with size, and how far it is from the machine's limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchsuite.analysis.crossing import Crossing, crossings
from benchsuite.analysis.runs import Run
from benchsuite.analysis.scaling import LEAST_SIZES, SIZES, PowerLaw, laws
from benchsuite.contracts.report import Block, Column, Grid, Paragraph, Table, TableCell, Value
from benchsuite.report.commands import VARY_BATCH, VARY_HIDDEN, VARY_LENGTH, vary
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import format_list
from benchsuite.report.pages.backends_charts import MOST_LAWS, roofline_chart, scaling_chart
from benchsuite.report.pages.backends_rows import backend_rows
from benchsuite.report.prose import prose

VARIATIONS = dict(zip(SIZES, (VARY_HIDDEN, VARY_LENGTH, VARY_BATCH), strict=True))
"""How a study varies each size."""
MOST_SIZE_CHARTS = 4
"""Scaling charts of one size: those of the tasks with most to show."""


def scaling(data: ReportData, runs: Sequence[Run]) -> Iterator[Block]:
    """Power laws by hidden size, sequence length and batch size; for what cannot be fitted, what to run."""
    found = laws(runs)
    if found:
        yield from prose("backends_scaling", least=LEAST_SIZES)
    missing = []
    for size in SIZES:
        own = [law for law in found if law.size == size]
        if own:
            yield from _laws(size, own)
            yield from _crossings(crossings(own))
        else:
            missing.append(size)
    if missing:
        one = "it" if len(missing) == 1 else "one of them"
        yield Paragraph(
            f"Not shown: scaling with {format_list(missing)}. No model was run with "
            f"{LEAST_SIZES} or more of {one} and everything else equal. To see it, into a study of its own:"
        )
        for size in missing:
            yield from vary(data, VARIATIONS[size], data.entries_of(runs))


def _laws(size: str, found: Sequence[PowerLaw]) -> Iterator[Block]:
    groups: dict[tuple[str, str], list[PowerLaw]] = {}
    for law in found:
        trial = law.runs[0].aggregate.trial
        groups.setdefault((f"{trial.task} / {trial.source}", trial.architecture), []).append(law)
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))[:MOST_SIZE_CHARTS]
    charts = tuple(
        scaling_chart(members, f"Time by {size}: {task}, {architecture}")
        for (task, architecture), members in largest
    )
    yield Grid(charts) if len(charts) > 1 else charts[0]
    if len(groups) > len(charts) or any(len(members) > MOST_LAWS for _, members in largest):
        yield Paragraph("The charts show some of the fits, the table all of them.", "note")
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("run by", filter=True),
        Column("sizes"),
        Column("exponent", "number", "of the power law; ± is half its 95 % interval (t, sizes − 2 degrees)"),
        Column("at the smallest", "seconds", "time of a step"),
        Column("at the largest", "seconds"),
    )
    rows: list[list[Value | TableCell]] = [
        [
            f"{law.runs[0].aggregate.trial.task} / {law.runs[0].aggregate.trial.source}",
            law.runs[0].name,
            law.runs[0].runner,
            ", ".join(f"{one:.4g}" for one in law.sizes),
            TableCell(law.exponent, half=law.half),
            law.seconds[0],
            law.seconds[-1],
        ]
        for law in found
    ]
    yield Table(f"Exponents of {size}", columns, rows)


def _crossings(found: Sequence[Crossing]) -> Iterator[Block]:
    """From which length on each scan is faster than a loop; nothing where no cell ran both ways."""
    if not found:
        return
    yield from prose("backends_crossing")
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("scan", filter=True),
        Column("compared with"),
        Column("lengths", help="time steps per sequence at which both were timed"),
        Column("scan is faster", help="lengths between two measured ones are interpolated"),
        Column("ratio at the shortest", "number", "time of a step of the scan over that of the other"),
        Column("ratio at the longest", "number", "as before; below 1 the scan is faster"),
    )
    rows: list[list[Value | TableCell]] = [
        [
            f"{one.scan.runs[0].aggregate.trial.task} / {one.scan.runs[0].aggregate.trial.source}",
            one.scan.runs[0].name,
            one.scan.runs[0].runner,
            one.loop.runs[0].runner,
            ", ".join(f"{length:.4g}" for length in one.lengths),
            _from_length(one),
            one.ratios[0],
            one.ratios[-1],
        ]
        for one in found
    ]
    yield Table("Where a scan becomes faster than a loop", columns, rows)


def _from_length(one: Crossing) -> str:
    if one.length is not None:
        return f"from {one.length:.0f} steps on"
    return "at every measured length" if one.always else "not within the measured lengths"


def limit(data: ReportData, runs: Sequence[Run], backends: Sequence[str]) -> Iterator[Block]:
    """The share of the machine's matrix-product rate that training and inference reach."""
    yield from prose("backends_limits")
    drawn = roofline_chart(data, runs)
    if drawn is None:
        yield Paragraph("No run has a share of the limit.", "note")
        return
    yield drawn
    columns = (
        Column("run by"),
        Column("training", "share", "median over models"),
        Column("best", "share", "of its models"),
        Column("with"),
        Column("inference", "share", "median over models"),
    )
    rows: list[list[Value | TableCell]] = []
    for name, runs_of_row in backend_rows(runs, backends):
        own = [run for run in runs_of_row if run.share is not None]
        if own:
            best = max(own, key=lambda run: run.share or 0.0)
            shares = [run.share for run in own if run.share is not None]
            inferred = [run.inference_share for run in own if run.inference_share is not None]
            rows.append(
                [
                    name,
                    median(shares),
                    best.share,
                    f"{best.name}, {data.task_of(best.ranking).title}",
                    median(inferred) if inferred else None,
                ]
            )
    yield Table("Share of the machine's limit", columns, rows)
