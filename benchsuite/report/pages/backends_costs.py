"""What running costs besides time: starting and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchsuite.analysis.runs import Run, median_of
from benchsuite.contracts.report import Block, Column, Paragraph, Table, TableCell, Value
from benchsuite.report.pages.backends_charts import memory_chart, starting_chart
from benchsuite.report.pages.backends_rows import backend_rows, of_backend
from benchsuite.report.prose import prose

COLD, MEMORY, EXTRA = "speed/cold_start_seconds", "memory/peak_bytes", "memory/train_extra_bytes"


def starting(runs: Sequence[Run], backends: Sequence[str]) -> Iterator[Block]:
    """Import, build, first step and compilation, by backend."""
    yield from prose("backends_starting")
    drawn = starting_chart(runs, backends)
    if drawn:
        yield drawn
    columns = (
        Column("run by"),
        Column("import", "seconds", group="start"),
        Column("build", "seconds", group="start"),
        Column("first step", "seconds", group="start"),
        Column("of it compilation", "seconds", group="start"),
        Column("cold start", "seconds", group="start"),
        Column("in steps", "number", "compilation divided by the median step: so many steps take as long"),
    )
    rows: list[list[Value | TableCell]] = []
    for name, own in backend_rows(runs, backends):
        values = [
            median_of(own, f"speed/{part}_seconds") for part in ("import", "build", "first_step", "compile")
        ]
        steps = [run.wall_step for run in own if run.wall_step]
        step, compiled = median(steps) if steps else None, values[-1]
        rows.append([name, *values, median_of(own, COLD), compiled / step if compiled and step else None])
    yield Table("Cold start, medians over models", columns, rows)


def memory(runs: Sequence[Run], backends: Sequence[str]) -> Iterator[Block]:
    """Peaks by backend, with every other figure of memory that records hold."""
    names = sorted(
        {name for run in runs for name in run.aggregate.scalars if name.startswith("memory/")}
        - {MEMORY, EXTRA, "memory/train_peak_bytes"}
    )
    drawn = memory_chart({name: _peaks(of_backend(runs, name)) for name in backends}, backends)
    if drawn is None:
        yield Paragraph("No run has a figure of memory.", "note")
        return
    yield from prose("backends_memory")
    yield drawn
    columns = [
        Column("run by"),
        Column("peak", "bytes", "median over models", group="memory"),
        Column("largest", "bytes", "of its models", group="memory"),
        Column("added by training", "bytes", "median over models", group="memory"),
        *(
            Column(name.removeprefix("memory/").removesuffix("_bytes").replace("_", " "), "bytes")
            for name in names
        ),
    ]
    rows: list[list[Value | TableCell]] = []
    for name, own in backend_rows(runs, backends):
        peaks = _peaks(own)
        if peaks:
            rows.append(
                [name, median(peaks), max(peaks), median_of(own, EXTRA),
                 *(median_of(own, scalar) for scalar in names)]
            )  # fmt: skip
    yield Table("Memory", tuple(columns), rows)


def _peaks(runs: Sequence[Run]) -> list[float]:
    return [value for run in runs if (value := run.mean(MEMORY)) is not None]
