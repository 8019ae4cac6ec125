"""The pages of a board: its machines and studies; and the rankings of one machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchsuite.analysis.agreement import disagreements
from benchsuite.analysis.runs import Run, runs_of
from benchsuite.analysis.seeds import Aggregate
from benchsuite.analysis.versions import framework_version
from benchsuite.contracts.report import (
    Block,
    Cards,
    Column,
    Link,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.publishing.board.pages.changes import day_cell
from benchsuite.publishing.board.pages.submissions import submissions_table
from benchsuite.publishing.board.rows import MachineBoard, PublishedRow, SuiteBoard
from benchsuite.publishing.board.told import Told, bundle_path
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_list
from benchsuite.report.pages.backends_races import raced
from benchsuite.report.pages.exclusions import excluded
from benchsuite.report.pages.rankings import model_words, ranking_table
from benchsuite.report.pages.results_table import results_table
from benchsuite.report.pages.study_answer import study_answer
from benchsuite.report.pages.task_answer import task_card
from benchsuite.report.site import Page

DATA = ("data.sha256", "artifact.")
"""Beginnings of disagreements that make metrics incomparable."""


def suite_page(told: Told, suite: SuiteBoard) -> Page:
    """Machines, each with its rankings; then the studies."""
    sections = []
    if suite.machines:
        sections.append(PageSection("Machines", (_machines(suite),)))
    else:
        nothing = Paragraph("No verified study: nothing is ranked.", "warning")
        sections.append(PageSection("Machines", (nothing,)))
    verified = [one for one in suite.submissions if one.level == "verified"]
    claimed = [one for one in suite.submissions if one.level == "claimed"]
    if verified:
        sections.append(PageSection("Studies", (submissions_table(told, verified, "Verified studies"),)))
    if claimed:
        note = Paragraph(
            "These studies failed their verification. They are in no ranking and no history.", "note"
        )
        sections.append(
            PageSection("Claimed, not ranked", (note, submissions_table(told, claimed, "Claimed studies")))
        )
    kind = "Frozen suite" if suite.frozen else "Studies of a matrix that is no frozen suite"
    lead = (
        f"{kind}: {format_count(len(suite.submissions), 'study', 'studies')}. Machines of equal "
        "processor, cores "
        "and GPU are ranked together, others never."
    )
    return Page(suite.key, suite.name, tuple(sections), lead)


def _machines(suite: SuiteBoard) -> Table:
    columns = (
        Column("machine"),
        Column("studies", "integer"),
        Column("by", "integer", "names under which they were published"),
        Column("tasks", "integer"),
        Column("models", "integer", "ranked models of all tasks"),
        Column("trials", "integer"),
        Column("newest", "date", "when the last trial ended"),
    )
    rows: list[list[Value | TableCell]] = [
        [
            TableCell(one.machine.name, page=one.key),
            len(one.submissions),
            len({each.by for each in one.submissions if each.by}),
            len(one.results),
            sum(len(results.ranking.models) for results in one.results if results.ranking),
            len(one.rows),
            day_cell(max(row.record.finished for row in one.rows.values())),
        ]
        for one in suite.machines
    ]
    return Table("Rankings by machine", columns, rows)


def machine_page(told: Told, suite: SuiteBoard, machine: MachineBoard) -> Page:
    """The rankings of one machine."""
    sections = [PageSection("Results", (table,)) for table in models_by_tasks(machine)]
    sections.append(PageSection("Task by task", (task_cards(machine),)))
    sections += [
        PageSection(results.title, tuple(_task(told, machine, results))) for results in machine.results
    ]
    sections += raced(told.races(machine), machine.machine)
    sections.append(
        PageSection("Studies", (submissions_table(told, machine.submissions, "Studies on this machine"),))
    )
    trials = format_count(len(machine.rows), "trial")
    lead = (
        *machine_answer(machine),
        f" Of each of {trials} on machines of this kind the latest verified record counts.",
    )
    return Page(machine.key, machine_title(suite, machine), tuple(sections), lead)


def machine_title(suite: SuiteBoard, machine: MachineBoard) -> str:
    """`quick@1 on AMD EPYC, 2 cores`."""
    return f"{suite.name} on {machine.machine.name}"


def ranked_tasks(machine: MachineBoard) -> list[TaskResults]:
    """The tasks of which a machine has a ranking."""
    return [results for results in machine.results if results.ranking and results.ranking.models]


def models_by_tasks(machine: MachineBoard) -> Iterator[Table]:
    """The table of models by tasks; nothing where one model is beside none."""
    ranked = ranked_tasks(machine)
    if len({model.name for results in ranked if results.ranking for model in results.ranking.models}) > 1:
        yield results_table(ranked)


def machine_answer(machine: MachineBoard) -> tuple[str | Link, ...]:
    """Which model and which backend, of all tasks of a machine, in a sentence."""
    words = study_answer(machine.results)
    return (words,) if isinstance(words, str) else words


def task_cards(machine: MachineBoard) -> Cards:
    """The answer of each task, without links: rankings of a machine are on one page."""
    return Cards(tuple(replace(task_card(results), page="") for results in machine.results))


def _task(told: Told, machine: MachineBoard, results: TaskResults) -> Iterator[Block]:
    records = results.records
    rows = [machine.rows[record.trial_id] for record in records]
    for sentence in _disagreements(rows):
        yield Paragraph(sentence, "warning")
    if results.ranking is None or not results.ranking.models:
        yield Paragraph("No trial of this task is ranked.", "note")
    else:
        yield ranking_table(results)
        yield _runs_table(told, machine, runs_of([results.ranking]))
    if left := excluded(results):
        yield Paragraph(f"Not ranked: {left}.", "note")


def _disagreements(rows: Sequence[PublishedRow]) -> list[str]:
    """Differences of data between studies whose metrics are ranked together."""
    by_study: dict[str, list[PublishedRow]] = {}
    for row in rows:
        by_study.setdefault(row.submission.id, []).append(row)
    if len(by_study) < 2:
        return []
    found = disagreements({name: [row.record for row in own] for name, own in by_study.items()}, {})
    return [
        f"{one.sentence()}: these metrics cannot be compared" for one in found if one.what.startswith(DATA)
    ]


def _runs_table(told: Told, machine: MachineBoard, runs: Sequence[Run]) -> Table:
    """Who ran each model, how fast, in which study."""
    columns = (
        Column("model", filter=True),
        Column("run by", filter=True, help="backend and unroll; leads to the history of the configuration"),
        Column("version", help="of the framework"),
        Column("metric", "number", "mean over seeds ± half of its 95 % interval"),
        Column("sequences/s", "rate", "training throughput in the steady state; ~ where not steady"),
        Column("relative", "share", "over that of the model's fastest run"),
        Column("trained in", "seconds", "wall seconds from the start to the trained model, import apart"),
        Column("level", filter=True),
        Column("by", filter=True, help="the name under which it was published"),
        Column("date", "date"),
        Column("bundle", help="the study in one file"),
    )
    rows: list[list[Value | TableCell]] = []
    for run in runs:
        members = [machine.rows[record.trial_id] for record in run.aggregate.records]
        primary = run.aggregate.primary
        speed = TableCell(run.speed, mark="unsure" if run.unsteady and run.speed else "")
        studies = {row.submission.id: row.submission for row in members}
        rows.append(
            [
                model_words(run.model, run.ranking),
                TableCell(run.runner, page=members[0].page),
                versions_of(run.aggregate),
                TableCell(primary.mean, half=primary.half_width) if primary else None,
                speed,
                run.relative,
                run.trained,
                "/".join(dict.fromkeys(told.level(row) for row in members)),
                "/".join(dict.fromkeys(row.submission.by for row in members)),
                day_cell(max(row.record.finished for row in members)),
                *(
                    TableCell(format_list(list(studies), most=2), page=f"file:{bundle_path(one)}")
                    for one in list(studies.values())[:1]
                ),
            ]
        )
    return Table("Every run: model and backend", columns, rows)


def versions_of(run: Aggregate) -> str:
    """Versions of the framework of a run, joined by a slash."""
    return "/".join(sorted({framework_version(record) for record in run.records} - {""}))
