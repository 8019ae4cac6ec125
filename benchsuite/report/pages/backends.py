"""The page on backends: who is fastest, which kernel ran, and what stands behind the speeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.contracts.report import (
    Block,
    Column,
    Command,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import format_count, format_list, format_ratio
from benchsuite.report.pages.backends_allocator import allocator
from benchsuite.report.pages.backends_charts import relative_chart
from benchsuite.report.pages.backends_costs import COLD, MEMORY, memory, starting
from benchsuite.report.pages.backends_limits import limit, scaling
from benchsuite.report.pages.backends_races import raced
from benchsuite.report.pages.overview import CLOSE
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.runners import STEP, Run, geometric_mean, runs_of
from benchsuite.report.site import Page

COMPILE = "speed/compile_seconds"


def backends_page(data: ReportData) -> Page | None:
    """Speeds and what stands behind them, machine by machine. None where nothing is ranked."""
    sections: list[PageSection] = []
    several = len(data.machines) > 1
    for machine in data.machines:
        runs = runs_of(results for results in data.tasks if results.machine == machine)
        if runs:
            where = f" on {machine.name}" if several else ""
            sections += [PageSection(f"{title}{where}", blocks) for title, blocks in _parts(runs)]
            sections += raced(data, machine, where)
            sections += allocator(runs, where)
            sections.append(PageSection(f"Every timing{where}", (_timings(runs),)))
    if not sections:
        return None
    lead = (
        "The same mathematics, weights and batches in every backend: only the time differs. Speeds are those "
        "of training in the steady state; what starting costs stands apart."
    )
    return Page("backends", "How fast is each backend, and why?", tuple(sections), lead, "Backends")


def _parts(runs: Sequence[Run]) -> Iterator[tuple[str, tuple[Block, ...]]]:
    runners = _order(runs)
    yield "Speed", tuple(_speed(runs, runners))
    yield "Starting", tuple(starting(runs, runners))
    yield "Which kernel really ran", (_kernels(runs),)
    yield "How time grows with size", tuple(scaling(runs))
    yield "How far from the machine's limit", tuple(limit(runs, runners))
    yield "Memory", tuple(memory(runs, runners))


def _order(runs: Sequence[Run]) -> list[str]:
    """Runners, the fastest on average first, and last those that cannot be compared."""
    names = list(dict.fromkeys(run.runner for run in runs))
    return sorted(names, key=lambda name: -(_relative(runs, name) or 0.0))


def _relative(runs: Sequence[Run], runner: str) -> float | None:
    found = [run.relative for run in runs if run.runner == runner and run.relative]
    return geometric_mean(found) if found else None


def _speed(runs: Sequence[Run], runners: Sequence[str]) -> Iterator[Block]:
    compared = {id(run.model) for run in runs if run.relative}
    if not compared:
        yield Paragraph(
            "Every model was run by one backend alone, so that no speed can be held against another. To "
            "compare backends, run the same matrix with several of them:"
        )
        yield Command("benchsuite run quick --backend numpy,torch,tensorflow,jax")
    else:
        yield Paragraph(_answer(runs, runners, len(compared)))
    yield _runners_table(runs, runners)
    drawn = relative_chart(runs, runners)
    if drawn:
        yield drawn


def _answer(runs: Sequence[Run], runners: Sequence[str], models: int) -> str:
    wins = {runner: sum(run.relative == 1.0 for run in runs if run.runner == runner) for runner in runners}
    first = max(runners, key=lambda runner: (wins[runner], -runners.index(runner)))
    if models == 1:
        said = f"{first} is the fastest in the one model that several backends ran."
    else:
        said = f"{first} is the fastest in {wins[first]} of {models} models that several backends ran."
    behind = [
        (1 / mean, runner)
        for runner in runners
        if runner != first and (mean := _relative(runs, runner)) is not None
    ]
    if behind:
        ratio, second = min(behind)
        far, last = max(behind)
        slower = "is about as fast as" if ratio < CLOSE else f"takes {format_ratio(ratio)} times as long as"
        said += f" On average {second} {slower} the fastest"
        said += f", {last} takes {format_ratio(far)} times as long." if last != second else "."
    unsteady = sum(run.unsteady for run in runs)
    if unsteady:
        verb = "is" if unsteady == 1 else "are"
        said += (
            f" {unsteady} of {format_count(len(runs), 'timing')} {verb} not steady (~): the machine was not "
            "quiet."
        )
    return said


def _runners_table(runs: Sequence[Run], runners: Sequence[str]) -> Table:
    rows: list[list[Value | TableCell]] = []
    for runner in runners:
        own = [run for run in runs if run.runner == runner]
        relative = _relative(runs, runner)
        wins = sum(run.relative == 1.0 for run in own)
        rows.append(
            [
                runner,
                len(own),
                sum(run.relative is not None for run in own),
                wins,
                TableCell(relative, mark="best" if relative and runner == runners[0] else ""),
                TableCell(1 / relative if relative else None),
                sum(run.unsteady for run in own),
            ]
        )
    columns = (
        Column("run by", help="backend and unroll, with what else differs among the runs"),
        Column("models", "integer"),
        Column("compared", "integer", "models that another one ran as well"),
        Column("fastest in", "integer"),
        Column("relative speed", "share", "speed over that of each model's fastest run; geometric mean"),
        Column("times as long", "number", "its inverse: how many times the time of the fastest"),
        Column("not steady", "integer", "timings whose quartile distance is too wide"),
    )
    return Table("Who is fastest", columns, rows)


def _timings(runs: Sequence[Run]) -> Table:
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("backend", filter=True),
        Column("unroll", filter=True),
        Column("device", filter=True),
        Column("sequences/s", "rate", "training; ± over seeds, or over timed rounds where there is one seed"),
        Column("relative", "share", "to the fastest run of the model"),
        Column("step", "seconds", "a training step, median"),
        Column("inference", "seconds", "predict() of a batch, median"),
        Column("transfer", "seconds", "copying a batch to the device, median"),
        Column("cold start", "seconds", "import, build and first step"),
        Column("compilation", "seconds", "first step less a steady step"),
        Column("of the limit", "share", "share of the peak matrix-product rate that training reaches"),
        Column("memory", "bytes", "highest resident memory while training"),
        Column("kernel", filter=True),
    )
    return Table("Timings", columns, [_timing(run) for run in runs])


def _timing(run: Run) -> list[Value | TableCell]:
    trial = run.aggregate.trial
    assert run.results.ranking is not None
    return [
        run.results.title,
        TableCell(
            model_words(run.model, run.results.ranking),
            page=run.results.pages.get(run.aggregate.records[0].trial_id, ""),
        ),
        trial.backend,
        trial.execution.unroll,
        trial.execution.device,
        TableCell(run.speed, half=run.half, mark="unsure" if run.unsteady else ""),
        TableCell(run.relative, mark="best" if run.relative == 1.0 else ""),
        run.mean(STEP),
        run.mean("speed/inference_median_seconds"),
        run.mean("speed/transfer_median_seconds"),
        run.mean(COLD),
        run.mean(COMPILE),
        run.share,
        run.mean(MEMORY),
        kernel_of(run),
    ]


def kernel_of(run: Run) -> str:
    """The kernels of the run's seeds: one, unless they differ."""
    return " or ".join(dict.fromkeys(record.kernel for record in run.aggregate.records if record.kernel))


def _kernels(runs: Sequence[Run]) -> Table:
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
        Column("kernel that ran", help="asked of the framework, not assumed"),
        Column("models"),
        Column("trials", "integer"),
    )
    return Table("Kernels", columns, rows)
