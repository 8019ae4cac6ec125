"""The page on backends: whose steps are fastest, who is trained soonest, which kernel ran, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.analysis.runs import (
    Leaders,
    Relation,
    Run,
    best_by_model,
    firsts,
    geometric_mean,
    leaders,
    runs_of,
)
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
from benchsuite.report.pages.backends_rows import backend_rows, backends_in_order, of_backend
from benchsuite.report.pages.backends_time import time_to_trained
from benchsuite.report.pages.backends_timings import kernels, timings
from benchsuite.report.pages.backends_ways import ways
from benchsuite.report.pages.study_answer import leader_words
from benchsuite.report.pages.task_answer import CLOSE
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
            sections += raced((one for study in data.studies for one in study.races()), machine, where)
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
    backends = backends_in_order(runs)
    yield "Speed", tuple(_speed(data, runs, backends))
    yield "Where the time goes", tuple(time_to_trained(runs, backends))
    yield "Starting", tuple(starting(runs, backends))
    yield "Which kernel really ran", (kernels(runs),)
    yield "In which way each model ran", tuple(ways(data, runs))
    yield "How time grows with size", tuple(scaling(data, runs))
    yield "How far from the machine's limit", tuple(limit(data, runs, backends))
    yield "Memory", tuple(memory(runs, backends))


def _mean(runs: Sequence[Run], figure: Relation) -> float | None:
    """The geometric mean over the models of the runs, of their best figure; None where they have none."""
    found = best_by_model(runs, figure)
    return geometric_mean(list(found.values())) if found else None


def _speed(data: ReportData, runs: Sequence[Run], backends: Sequence[str]) -> Iterator[Block]:
    if fastest := leaders(runs, "relative"):
        yield Paragraph(_answer(runs, backends, fastest))
    elif any(run.speed for run in runs):
        yield Paragraph(
            "No model has a valid timing by more than one backend, so that no two speeds can be compared. To "
            "compare backends, run one of the models with several of them, into a study of its own:"
        )
        yield from vary(data, VARY_BACKENDS, data.entries_of(runs))
    if soonest := leaders(runs, "relative_trained"):
        yield Paragraph(_trained_answer(runs, backends, soonest))
    for text in _timing_cautions(runs):
        yield Paragraph(text, "warning")
    yield _backends_table(runs, backends)
    drawn = relative_chart(runs, backends)
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


def _answer(runs: Sequence[Run], backends: Sequence[str], found: Leaders) -> str:
    """Of the models with a valid timing by several backends."""
    said = f"{leader_words(found, 'the fastest steps')}."
    behind = [(1 / mean, name) for name, mean in _others(runs, backends, found, "relative")]
    if behind:
        ratio, second = min(behind)
        far, last = max(behind)
        slower = "are about as fast as" if ratio < CLOSE else f"take {format_ratio(ratio)} times as long as"
        said += f" On average the steps of {second} {slower} the fastest"
        said += f", those of {last} {format_ratio(far)} times as long." if last != second else "."
    return said


def _others(
    runs: Sequence[Run], backends: Sequence[str], first: Leaders, figure: Relation
) -> Iterator[tuple[str, float]]:
    """Every backend but one that leads alone, with its mean."""
    for name in backends:
        mean = _mean(of_backend(runs, name), figure)
        if first.backends != (name,) and mean is not None:
            yield name, mean


def _trained_answer(runs: Sequence[Run], backends: Sequence[str], found: Leaders) -> str:
    said = (
        "Counted from the start (compilation included, the import of the framework not), "
        f"{leader_words(found, 'the model trained soonest')}."
    )
    behind = [(mean, name) for name, mean in _others(runs, backends, found, "relative_trained")]
    words = [f"{name} {format_ratio(mean)} times" for mean, name in sorted(behind)]
    return f"{said} On average {format_list(words)} as long as the soonest." if words else said


def _backends_table(runs: Sequence[Run], backends: Sequence[str]) -> Table:
    rows: list[list[Value | TableCell]] = []
    fastest = _mean(of_backend(runs, backends[0]), "relative")
    for name, own in backend_rows(runs, backends):
        relative = _mean(own, "relative")
        best = relative is not None and relative == fastest and name.mark != "inside"
        rows.append(
            [
                name,
                len({id(run.model) for run in own}),
                len(best_by_model(own, "relative")),
                firsts(own, "relative"),
                TableCell(relative, mark="best" if best else ""),
                firsts(own, "relative_trained"),
                _ratio_cell(_mean(own, "relative_trained")),
                sum(run.unsteady for run in own),
                sum(run.speed is None for run in own),
            ]
        )
    columns = (
        Column("run by", help="backend, and what else differs among the runs; its ways are under it, where it "
               "has several"),
        Column("models", "integer"),
        Column("compared", "integer", "models that another run has a valid timing of as well"),
        Column("fastest steps in", "integer", "models"),
        Column("relative speed", "share", "speed over that of each model's fastest run; of several ways of a "
               "backend the best one; geometric mean"),
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
