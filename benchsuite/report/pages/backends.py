"""The page on backends: whose steps are fastest, who is trained soonest, which kernel ran, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.analysis.runs import Run, geometric_mean, runs_of
from benchsuite.contracts.report import (
    Block,
    Column,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.report.commands import VARY_BACKENDS, vary
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import format_count, format_list, format_ratio
from benchsuite.report.pages.backends_allocator import allocator
from benchsuite.report.pages.backends_charts import relative_chart
from benchsuite.report.pages.backends_costs import memory, starting
from benchsuite.report.pages.backends_limits import limit, scaling
from benchsuite.report.pages.backends_races import raced
from benchsuite.report.pages.backends_timings import kernels, timings
from benchsuite.report.pages.overview import CLOSE
from benchsuite.report.site import Page


def backends_page(data: ReportData) -> Page | None:
    """Speeds and what explains them, machine by machine. None where nothing is ranked."""
    sections: list[PageSection] = []
    several = len(data.machines) > 1
    for machine in data.machines:
        runs = runs_of(
            results.ranking for results in data.tasks if results.machine == machine and results.ranking
        )
        if runs:
            where = f" on {machine.name}" if several else ""
            sections += [PageSection(f"{title}{where}", blocks) for title, blocks in _parts(data, runs)]
            sections += raced(data, machine, where)
            sections += allocator(data, runs, where)
            sections.append(PageSection(f"Every timing{where}", (timings(data, runs),)))
    if not sections:
        return None
    lead = (
        "Two questions with two answers: whose training steps are fastest once they run, and who has a model "
        "trained soonest from its start."
    )
    return Page("backends", "How fast is each backend, and why?", tuple(sections), lead, "Backends")


def _parts(data: ReportData, runs: Sequence[Run]) -> Iterator[tuple[str, tuple[Block, ...]]]:
    runners = _order(runs)
    yield "Speed", tuple(_speed(data, runs, runners))
    yield "Starting", tuple(starting(runs, runners))
    yield "Which kernel really ran", (kernels(runs),)
    yield "How time grows with size", tuple(scaling(data, runs))
    yield "How far from the machine's limit", tuple(limit(data, runs, runners))
    yield "Memory", tuple(memory(runs, runners))


def _order(runs: Sequence[Run]) -> list[str]:
    """Runners, the fastest on average first, and last those that cannot be compared."""
    names = list(dict.fromkeys(run.runner for run in runs))
    return sorted(names, key=lambda name: -(_mean(runs, name, "relative") or 0.0))


def _mean(runs: Sequence[Run], runner: str, figure: str) -> float | None:
    """The geometric mean of `relative` or `relative_trained` over a runner's models; None where it has none."""
    found = [value for run in runs if run.runner == runner and (value := getattr(run, figure))]
    return geometric_mean(found) if found else None


def _firsts(runs: Sequence[Run], runners: Sequence[str], figure: str) -> dict[str, int]:
    """Runner -> the number of models in which it is the best, or equal to the best."""
    return {
        runner: sum(run.runner == runner and getattr(run, figure) == 1.0 for run in runs)
        for runner in runners
    }


def _speed(data: ReportData, runs: Sequence[Run], runners: Sequence[str]) -> Iterator[Block]:
    compared = {id(run.model) for run in runs if run.relative}
    if compared:
        yield Paragraph(_answer(runs, runners, len(compared)))
    elif any(run.speed for run in runs):
        yield Paragraph(
            "No model has a valid timing by more than one backend, so that no two speeds can be compared. To "
            "compare backends, run one of the models with several of them, into a study of its own:"
        )
        yield from vary(data, VARY_BACKENDS, data.entries_of(runs))
    trained = {id(run.model) for run in runs if run.relative_trained}
    if trained:
        yield Paragraph(_trained_answer(runs, runners, len(trained)))
    for text in _timing_cautions(runs):
        yield Paragraph(text, "warning")
    yield _runners_table(runs, runners)
    drawn = relative_chart(runs, runners)
    if drawn:
        yield drawn


def _timing_cautions(runs: Sequence[Run]) -> Iterator[str]:
    refused = sum(run.speed is None for run in runs)
    if refused:
        verb = "has" if refused == 1 else "have"
        yield (
            f"{refused} of {format_count(len(runs), 'run')} {verb} no valid timing and {verb} no speed on this "
            "page; the reasons are on the overview."
        )
    unsteady = sum(run.unsteady for run in runs)
    if unsteady:
        verb = "is" if unsteady == 1 else "are"
        yield f"{unsteady} of {format_count(len(runs), 'timing')} {verb} not steady (~)."


def _in_models(first: int, models: int) -> str:
    return "the one model" if models == 1 else f"{first} of {models} models"


def _answer(runs: Sequence[Run], runners: Sequence[str], models: int) -> str:
    wins = _firsts(runs, runners, "relative")
    first = max(runners, key=lambda runner: (wins[runner], -runners.index(runner)))
    said = (
        f"{first} has the fastest steps in {_in_models(wins[first], models)} with a valid timing by several "
        "backends."
    )
    behind = [
        (1 / mean, runner)
        for runner in runners
        if runner != first and (mean := _mean(runs, runner, "relative")) is not None
    ]
    if behind:
        ratio, second = min(behind)
        far, last = max(behind)
        slower = "are about as fast as" if ratio < CLOSE else f"take {format_ratio(ratio)} times as long as"
        said += f" On average the steps of {second} {slower} the fastest"
        said += f", those of {last} {format_ratio(far)} times as long." if last != second else "."
    return said


def _trained_answer(runs: Sequence[Run], runners: Sequence[str], models: int) -> str:
    wins = _firsts(runs, runners, "relative_trained")
    first = max(runners, key=lambda runner: (wins[runner], -runners.index(runner)))
    said = (
        f"Counted from the start (compilation included, the import of the framework not), {first} has the "
        f"model trained soonest in {_in_models(wins[first], models)}."
    )
    behind = [
        (mean, runner)
        for runner in runners
        if runner != first and (mean := _mean(runs, runner, "relative_trained")) is not None
    ]
    words = [f"{runner} {format_ratio(mean)} times" for mean, runner in sorted(behind)]
    return f"{said} On average {format_list(words)} as long as the soonest." if words else said


def _runners_table(runs: Sequence[Run], runners: Sequence[str]) -> Table:
    fastest, soonest = _firsts(runs, runners, "relative"), _firsts(runs, runners, "relative_trained")
    rows: list[list[Value | TableCell]] = []
    for runner in runners:
        own = [run for run in runs if run.runner == runner]
        relative = _mean(runs, runner, "relative")
        best = relative is not None and relative == _mean(runs, runners[0], "relative")
        rows.append(
            [
                runner,
                len(own),
                sum(run.relative is not None for run in own),
                fastest[runner],
                TableCell(relative, mark="best" if best else ""),
                soonest[runner],
                _ratio_cell(_mean(runs, runner, "relative_trained")),
                sum(run.unsteady for run in own),
                sum(run.speed is None for run in own),
            ]
        )
    columns = (
        Column("run by", help="backend and unroll, with what else differs among the runs"),
        Column("models", "integer"),
        Column("compared", "integer", "models that another one has a valid timing of as well"),
        Column("fastest steps in", "integer", "models"),
        Column("relative speed", "share", "speed over that of each model's fastest run; geometric mean"),
        Column("trained soonest in", "integer", "models"),
        Column(
            "times the soonest", "number", "seconds from the start to trained, over those of the run that is "
            "trained soonest; geometric mean"
        ),
        Column("not steady", "integer", "timings whose rounds spread too wide, or that were disturbed"),
        Column("not timed", "integer", "runs without a valid timing"),
    )  # fmt: skip
    return Table("Who is fastest, and who is trained soonest", columns, rows)


def _ratio_cell(ratio: float | None) -> TableCell:
    return TableCell(ratio, "" if ratio is None else format_ratio(ratio))
