"""The table of changes of level."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchsuite.contracts.report import Column, Table, TableCell, Value
from benchsuite.publishing.board.history import LevelChange
from benchsuite.publishing.board.told import Told
from benchsuite.report.formatting import format_count, format_date, format_number, format_value

NOT_EXPLAINED = "no reason given"


def changes_table(found: Sequence[LevelChange]) -> Table:
    """Of one configuration: one row per change of a figure on a machine."""
    columns = (
        Column("machine", filter=True),
        Column("figure", filter=True, help="speed: sequences/s of training; or the metric that ranks"),
        Column("before", "mixed"),
        Column("after", "mixed"),
        Column("change", "share"),
        Column("framework", help="versions before and after"),
        Column("between", "date", "last study of the old level"),
        Column("and", "date", "first study of the new level"),
        Column("reason", help="from accepted.toml in the results repository"),
    )
    rows: list[list[Value | TableCell]] = [
        [
            one.machine.name,
            _figure(one),
            TableCell(one.before, format_number(one.before)),
            TableCell(one.after, format_number(one.after)),
            _share_cell(one.share, one),
            _versions(one),
            day_cell(one.last.date),
            day_cell(one.first.date),
            _reason_cell(one),
        ]
        for one in found
    ]
    return Table("Changes of level", columns, rows)


def common_changes_table(told: Told, found: Sequence[LevelChange], most: int) -> Table:
    """Of the whole board: changes of one figure, backend and machine between the same two studies together,
    those without a reason first."""
    groups: dict[tuple[object, ...], list[LevelChange]] = {}
    for one in found:
        between = one.last.submission.id, one.first.submission.id
        backend, up = one.first.aggregate.trial.backend, one.share > 0
        groups.setdefault((one.machine, _figure(one), backend, between, one.accepted, up), []).append(one)
    ordered = sorted(
        groups.values(), key=lambda group: (group[0].accepted is not None, -group[0].first.date, -len(group))
    )
    columns = (
        Column("backend", filter=True),
        Column("framework", help="versions before and after"),
        Column("figure", filter=True, help="speed: sequences/s of training; or the metric that ranks"),
        Column("change", "share", "the median over configurations"),
        Column("configurations", "integer", "whose level changed between the two studies"),
        Column("the largest", help="the configuration with the largest change"),
        Column("machine", filter=True),
        Column("since", "date", "first study of the new level"),
        Column("reason", help="from accepted.toml in the results repository"),
    )
    rows: list[list[Value | TableCell]] = []
    for group in ordered[:most]:
        largest = max(group, key=lambda one: abs(one.share))
        trial = largest.first.aggregate.trial
        rows.append(
            [
                trial.backend,
                _versions(largest),
                _figure(largest),
                _share_cell(median(one.share for one in group), largest),
                len(group),
                TableCell(configuration_label(told, largest), page=f"configuration:{trial.configuration_id}"),
                largest.machine.name,
                day_cell(largest.first.date),
                _reason_cell(largest),
            ]
        )
    rest = len(ordered) - len(rows)
    note = f"{format_count(rest, 'further change')} on the pages of configurations" if rest > 0 else ""
    return Table("Changes of level, those without a reason first", columns, rows, note)


def day_cell(seconds: float) -> TableCell:
    """A POSIX time as its day."""
    return TableCell(seconds, format_date(seconds)[:10], title=format_date(seconds))


def _figure(one: LevelChange) -> str:
    return "speed" if one.figure == "speed" else one.first.aggregate.records[0].primary.replace("_", " ")


def _share_cell(share: float, one: LevelChange) -> TableCell:
    return TableCell(share, signed_share(share), mark="" if one.accepted else "bad")


def _reason_cell(one: LevelChange) -> TableCell:
    return TableCell(one.accepted.reason) if one.accepted else TableCell(NOT_EXPLAINED, mark="dim")


def configuration_label(told: Told, one: LevelChange) -> str:
    """What the configuration is called, without its seed."""
    return told.board.label(one.first.aggregate.trial).replace(
        f" seed {one.first.aggregate.trial.seed}", "", 1
    )


def signed_share(share: float) -> str:
    """`+12 %`, `−3.1 %`."""
    text = format_value(share, form="share")
    return f"+{text}" if share > 0 else text


def _versions(one: LevelChange) -> str:
    before, after = one.last.framework_version, one.first.framework_version
    return before if before == after else f"{before or '?'} → {after or '?'}"
