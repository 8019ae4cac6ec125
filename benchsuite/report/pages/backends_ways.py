"""The table of ways: how each model ran where that was left open, and what the other ways would have cost."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.analysis.runs import Run
from benchsuite.analysis.ways import WayThatRan, way_that_ran
from benchsuite.contracts.report import Block, Column, Paragraph, Table, TableCell, Value
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import COST_DIGITS, format_number
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.prose import prose


def ways(data: ReportData, runs: Sequence[Run]) -> list[Block]:
    """What was measured, run by run; a sentence where nothing was."""
    rows = [_row(data, run, way) for run in runs for way in ways_of(run) if way.costs]
    if not rows:
        return [
            Paragraph(
                "No way was left open, or none was measured: each run took the one that is its default."
            )
        ]
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("run by", filter=True),
        Column("way that ran", filter=True),
        Column("default took", "number", "times the step of the way that ran; the framework's own default"),
        Column("the others", help="times the step of the way that ran, the cheapest first"),
    )
    return [*prose("backends_ways"), Table("Ways that were measured on this machine", columns, rows)]


def ways_of(run: Run) -> list[WayThatRan]:
    """Those of its seeds, each name once: seeds run alike, unless the machine was calibrated in between."""
    found = (way_that_ran(record) for record in run.aggregate.records)
    return list({way.name: way for way in found if way is not None}.values())


def _row(data: ReportData, run: Run, way: WayThatRan) -> list[Value | TableCell]:
    others = ", ".join(f"{name} {format_number(cost, COST_DIGITS)}" for name, cost in way.others.items())
    return [
        data.task_of(run.ranking).title,
        model_words(run.model, run.ranking),
        run.runner,
        way.name,
        TableCell(way.default, "" if way.default is None else format_number(way.default, COST_DIGITS)),
        others,
    ]
