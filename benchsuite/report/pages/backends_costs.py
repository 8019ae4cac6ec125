"""What running costs besides time: starting and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchsuite.contracts.report import Block, Column, Paragraph, Table, TableCell, Value
from benchsuite.report.pages.backends_charts import memory_chart, starting_chart
from benchsuite.report.runners import STEP, Run, median_of

COLD, MEMORY, EXTRA = "speed/cold_start_seconds", "memory/peak_bytes", "memory/train_extra_bytes"


def starting(runs: Sequence[Run], runners: Sequence[str]) -> Iterator[Block]:
    """Import, build, first step and compilation, by runner."""
    yield Paragraph(
        "What must be paid once, before the first step is done: importing the framework, building the model, "
        "and the first step with its compilation. None of it is in a speed above. In a warm worker the "
        "import was paid by its first trial; --isolation trial lets every trial pay it."
    )
    drawn = starting_chart(runs, runners)
    if drawn:
        yield drawn
    columns = (
        Column("run by"),
        Column("import", "seconds"),
        Column("build", "seconds"),
        Column("first step", "seconds"),
        Column("of it compilation", "seconds"),
        Column("cold start", "seconds"),
        Column("in steps", "number", "compilation over the median step: as many steps take as long"),
    )
    rows: list[list[Value | TableCell]] = []
    for runner in runners:
        own = [run for run in runs if run.runner == runner]
        values = [
            median_of(own, f"speed/{part}_seconds") for part in ("import", "build", "first_step", "compile")
        ]
        step, compiled = median_of(own, STEP), values[-1]
        rows.append([runner, *values, median_of(own, COLD), compiled / step if compiled and step else None])
    yield Table("Cold start, medians over models", columns, rows)


def memory(runs: Sequence[Run], runners: Sequence[str]) -> Iterator[Block]:
    """Peaks by runner, with every other figure of memory that records hold."""
    names = sorted(
        {name for run in runs for name in run.aggregate.scalars if name.startswith("memory/")}
        - {MEMORY, EXTRA, "memory/train_peak_bytes"}
    )
    peaks = {
        runner: [value for run in runs if run.runner == runner and (value := run.mean(MEMORY)) is not None]
        for runner in runners
    }
    drawn = memory_chart(peaks, runners)
    if drawn is None:
        yield Paragraph("No run has a figure of memory.", "note")
        return
    yield Paragraph(
        "The highest resident memory of the worker while it trained: interpreter, framework, data and model. "
        "What training added to what was there before the model was built stands beside it."
    )
    yield drawn
    columns = [
        Column("run by"),
        Column("peak", "bytes", "median over models"),
        Column("largest", "bytes", "of its models"),
        Column("added by training", "bytes", "median over models"),
        *(
            Column(name.removeprefix("memory/").removesuffix("_bytes").replace("_", " "), "bytes")
            for name in names
        ),
    ]
    rows: list[list[Value | TableCell]] = []
    for runner in runners:
        own = [run for run in runs if run.runner == runner]
        if peaks[runner]:
            rows.append(
                [runner, median(peaks[runner]), max(peaks[runner]), median_of(own, EXTRA),
                 *(median_of(own, name) for name in names)]
            )  # fmt: skip
    yield Table("Memory", tuple(columns), rows)


def _plain(name: str) -> str:
    """`memory/time_peak_bytes` -> `time peak`."""
    return name.removeprefix("memory/").removesuffix("_bytes").replace("_", " ")
