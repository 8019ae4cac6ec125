"""The page of a configuration: its history by date, framework and suite, where it changed, and every row."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from benchsuite.analysis.identity import fields, words
from benchsuite.analysis.training_time import seconds_to_trained
from benchsuite.contracts.report import (
    Block,
    Column,
    Command,
    Details,
    Fact,
    Facts,
    Grid,
    Line,
    LineChart,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Upright,
    Value,
)
from benchsuite.publishing.board.accepted import Figure
from benchsuite.publishing.board.change_points import LEAST_POINTS, is_available
from benchsuite.publishing.board.history import History, HistoryPoint, LevelChange
from benchsuite.publishing.board.pages.changes import NOT_EXPLAINED, changes_table, day_cell, signed_share
from benchsuite.publishing.board.pages.submissions import bundle_cell
from benchsuite.publishing.board.rows import PublishedRow
from benchsuite.publishing.board.told import Told, bundle_path
from benchsuite.report.formatting import format_count, format_date, format_list
from benchsuite.report.site import Page
from benchsuite.schema.fields import flatten

MOST_DRAWN_MACHINES = 8
"""Machines that are drawn: those with the most points."""
MOST_COMMANDS = 12
MOST_NEAR = 40


def configuration_page(told: Told, name: str) -> Page:
    """:param name: the configuration's id."""
    rows = told.board.configurations[name]
    trial = rows[0].record.trial
    label = told.board.label(trial).replace(f" seed {trial.seed}", "", 1)
    past = told.histories.get(name)
    found = told.changes.get(name, [])
    sections = []
    if past is not None:
        sections.append(PageSection("History", tuple(_history(past, found))))
        sections.append(PageSection("Where it changed", tuple(_changes(past, found))))
    sections += [
        PageSection("Every row", (_rows(told, rows, past),)),
        PageSection("Reproduce a row", tuple(_commands(rows))),
        PageSection("What it is", (_facts(rows[0]),)),
    ]
    if near := told.near(name):
        sections.append(PageSection("Configurations near it", (_near(told, rows[0], near),)))
    machines = {row.machine for row in rows}
    studies = {row.submission.id for row in rows}
    lead = (
        f"{format_count(len(studies), 'study', 'studies')} on {format_count(len(machines), 'machine')}, "
        f"{format_list(sorted({row.submission.board for row in rows}), most=4)}. "
        f"Configuration {name}: the address of this page stays."
    )
    return Page(f"configuration:{name}", label, tuple(sections), lead)


def _history(past: History, found: list[LevelChange]) -> Iterator[Block]:
    metric = next((point.aggregate.records[0].primary for point in past.points if point.metric), "")
    charts = []
    figures: tuple[tuple[Figure, str], ...] = (("speed", "sequences/s"), ("metric", metric.replace("_", " ")))
    for figure, name in figures:
        lines = []
        for machine in list(past.lines)[:MOST_DRAWN_MACHINES]:
            points, values = past.values(machine, figure)
            if points:
                lines.append(Line(machine.name, [point.date for point in points], values))
        if lines:
            title = "Speed of training" if figure == "speed" else f"Metric on the test split: {name}"
            charts.append(
                LineChart(title, tuple(lines), "date", name, dates=True, uprights=_uprights(found, figure))
            )
    if charts:
        yield Grid(tuple(charts), wide=True)
    if len(past.lines) > MOST_DRAWN_MACHINES:
        rest = len(past.lines) - MOST_DRAWN_MACHINES
        yield Paragraph(f"{format_count(rest, 'further machine')} in the table below.", "note")
    if charts:
        clock = "CPU time" if past.clock == "cpu" else "wall time"
        yield Paragraph(
            f"Each point is one study: the mean over its seeds; speed by {clock}. Dashed lines: changes "
            "of level.",
            "note",
        )


def _uprights(found: list[LevelChange], figure: Figure) -> tuple[Upright, ...]:
    """The changes of a figure; those of one day together."""
    days: dict[str, list[LevelChange]] = {}
    for one in found:
        if one.figure == figure:
            days.setdefault(format_date(one.first.date)[:10], []).append(one)
    return tuple(Upright(group[0].first.date, "; ".join(map(_mark, group))) for group in days.values())


def _mark(one: LevelChange) -> str:
    reason = one.accepted.reason if one.accepted else NOT_EXPLAINED
    return f"{one.machine.name}: {signed_share(one.share)}, {reason}"


def _changes(past: History, found: list[LevelChange]) -> Iterator[Block]:
    if found:
        yield changes_table(found)
    elif not is_available():
        yield Paragraph(
            "Changes were not looked for: this site was made without the library ruptures.", "note"
        )
    elif max(map(len, past.lines.values())) < LEAST_POINTS:
        yield Paragraph(
            f"With fewer than {LEAST_POINTS} studies of one machine no change can be told.", "note"
        )
    else:
        yield Paragraph("No change of level was found.", "note")


def _rows(told: Told, rows: list[PublishedRow], past: History | None) -> Table:
    columns = (
        Column("study"),
        Column("date", "date", "when its last trial ended"),
        Column("machine", filter=True),
        Column("framework", filter=True, help="its version"),
        Column("benchsuite", filter=True, help="its version"),
        Column("board", filter=True, help="frozen suite, or matrix"),
        Column("by", filter=True),
        Column("level", filter=True),
        Column("seeds", "integer"),
        Column("metric", "number"),
        Column("sequences/s", "rate"),
        Column("trained in", "seconds"),
        Column("bundle", "mixed"),
    )
    points = past.points[::-1] if past else []
    made = [_row(told, point, past) for point in points]
    shown = {id(row) for point in points for row in point.rows}
    for row in rows:
        if id(row) not in shown:
            one = row.submission
            level = "published before" if row.repeated else told.level(row)
            made.append(
                [
                    TableCell(one.id, page=told.submission_page(one)),
                    day_cell(row.record.finished),
                    row.machine.name,
                    "",
                    one.suite_version,
                    one.board,
                    one.by,
                    TableCell(level, mark="dim"),
                    1,
                    row.record.scalars.get(f"test/{row.record.primary}"),
                    None,
                    None,
                    bundle_cell(one),
                ]
            )
    return Table("Every published result of this configuration, newest first", columns, made)


def _row(told: Told, point: HistoryPoint, past: History | None) -> list[Value | TableCell]:
    one, metric, trained = point.submission, point.metric, seconds_to_trained(point.aggregate)
    return [
        TableCell(one.id, page=told.submission_page(one)),
        day_cell(point.date),
        point.machine.name,
        point.framework_version,
        one.suite_version,
        one.board,
        one.by,
        "/".join(dict.fromkeys(told.level(row) for row in point.rows)),
        len(point.aggregate.records),
        TableCell(metric.mean, half=metric.half_width) if metric else None,
        point.speed(past.clock) if past else None,
        TableCell(trained.mean, half=trained.half_width) if trained else None,
        bundle_cell(one),
    ]


def _commands(rows: list[PublishedRow]) -> Iterator[Block]:
    newest = sorted(rows, key=lambda row: -row.submission.published)
    yield Paragraph(
        "Download the bundle of the row, and run its trial again: the command compares every figure."
    )
    lines = [_command(row) for row in newest]
    yield Command("\n".join(lines[:MOST_COMMANDS]))
    if len(lines) > MOST_COMMANDS:
        yield Details(f"All {len(lines)} commands", (Command("\n".join(lines)),))


def _command(row: PublishedRow) -> str:
    bundle = bundle_path(row.submission).partition("/")[2]
    command = shlex.join(["benchsuite", "reproduce", bundle, row.record.trial_id])
    return f"{command}  # seed {row.record.trial.seed}"


def _near(told: Told, own: PublishedRow, names: list[str]) -> Table:
    """Configurations that differ in size or recipe alone, as those of another version of a suite do."""
    mine = fields(own.record.trial)
    columns = (
        Column("differs in", help="fields that have another value there; leads to its page"),
        Column("boards", help="frozen suites, or matrices"),
        Column("studies", "integer"),
        Column("newest", "date"),
    )
    rows: list[list[Value | TableCell]] = []
    for name in names[:MOST_NEAR]:
        others = told.board.configurations[name]
        trial = others[0].record.trial
        theirs = fields(trial)
        paths = [path for path in theirs if path != "seed" and theirs[path] != mine.get(path)]
        rows.append(
            [
                TableCell(", ".join(words(trial, paths)) or name, page=f"configuration:{name}"),
                format_list(sorted({row.submission.board for row in others}), most=4),
                len({row.submission.id for row in others}),
                day_cell(max(row.record.finished for row in others)),
            ]
        )
    return Table("The same model and backend in another size, or trained otherwise", columns, rows)


def _facts(row: PublishedRow) -> Grid:
    """The configuration's fields, by group: those of the trial itself, its options, size, execution and so
    on."""
    groups: dict[str, list[Fact]] = {}
    for path, value in flatten(row.record.trial.configuration()):
        group, _, name = path.rpartition(".")
        groups.setdefault(group or "trial", []).append(Fact(name, _plain(value)))
    return Grid(tuple(Facts(name, tuple(facts)) for name, facts in groups.items()))


def _plain(value: object) -> Value:
    return value if isinstance(value, str | int | float | bool) else "none" if value is None else str(value)
