"""The tables of every timing and of the kernels that ran."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.analysis.runs import Run
from benchsuite.contracts.report import Column, Table, TableCell, Value
from benchsuite.report.data import ReportData, TaskResults
from benchsuite.report.formatting import format_list, format_value
from benchsuite.report.pages.backends_costs import COLD, MEMORY
from benchsuite.report.pages.rankings import model_words

COMPILE = "speed/compile_seconds"


def timings(data: ReportData, runs: Sequence[Run]) -> Table:
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("backend", filter=True),
        Column("unroll", filter=True),
        Column("device", filter=True),
        Column("sequences/s", "rate", "training; ± over seeds, or over timed rounds with one seed"),
        Column("relative", "share", "to the fastest run of the model"),
        Column("step", "seconds", "a training step, median wall time"),
        Column("trained in", "seconds", "wall seconds from the start to the trained model, the import apart"),
        Column("inference", "seconds", "predict() of a batch, median"),
        Column("transfer", "seconds", "copying a batch to the device, median"),
        Column("cold start", "seconds", "import, build and first step"),
        Column("compilation", "seconds", "first step minus a steady step"),
        Column("of the limit", "share", "share of the peak matrix-product rate that training reaches"),
        Column("memory", "bytes", "highest resident memory while training"),
        Column("kernel", filter=True),
    )
    return Table("Timings", columns, [_timing(data.task_of(run.ranking), run) for run in runs])


def _timing(results: TaskResults, run: Run) -> list[Value | TableCell]:
    trial = run.aggregate.trial
    return [
        results.title,
        TableCell(
            model_words(run.model, run.ranking),
            page=results.pages.get(run.aggregate.records[0].trial_id, ""),
        ),
        trial.backend,
        trial.execution.unroll,
        trial.execution.device,
        _speed_cell(run),
        TableCell(run.relative, mark="best" if run.relative == 1.0 else ""),
        run.wall_step,
        run.trained,
        run.mean("speed/inference_median_seconds"),
        run.mean("speed/transfer_median_seconds"),
        run.mean(COLD),
        run.mean(COMPILE),
        run.share,
        run.mean(MEMORY),
        kernel_of(run),
    ]


def _speed_cell(run: Run) -> TableCell:
    if run.speed is None:
        return TableCell(None, title="no valid timing")
    if run.unsteady:
        return TableCell(run.speed, format_value(run.speed, rough=True), mark="unsure")
    return TableCell(run.speed, half=run.half)


def kernel_of(run: Run) -> str:
    """The kernels of the run's seeds: one, unless they differ."""
    return " or ".join(dict.fromkeys(record.kernel for record in run.aggregate.records if record.kernel))


def kernels(runs: Sequence[Run]) -> Table:
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        execution = run.aggregate.trial.execution
        asked = f"{execution.unroll} on {execution.device}"
        groups.setdefault((run.aggregate.trial.backend, asked, kernel_of(run)), []).append(run)
    rows: list[list[Value | TableCell]] = []
    for (backend, asked, kernel), members in sorted(groups.items()):
        models = format_list(sorted({run.name for run in members}))
        rows.append([backend, asked, TableCell(kernel or None, text="" if kernel else "not told"), models,
                     sum(len(run.aggregate.records) for run in members)])  # fmt: skip
    columns = (
        Column("backend"),
        Column("asked for"),
        Column("kernel that ran", help="as the framework says, not assumed"),
        Column("models"),
        Column("trials", "integer"),
    )
    return Table("Kernels", columns, rows)
