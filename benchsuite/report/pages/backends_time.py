"""Where time goes by backend: seconds to the trained models, and what this suite adds to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt

from benchsuite.analysis.runs import Run
from benchsuite.analysis.time_parts import ADDED, TO_TRAINED, SharedTime, shared_times
from benchsuite.contracts.report import Block, Chart, Column, Grid, Mark, Paragraph, Table, TableCell, Value
from benchsuite.report.charts import Legend, chart, named
from benchsuite.report.formatting import format_count, format_list, format_ratio, format_value
from benchsuite.report.looks import place_look
from benchsuite.report.pages.backends_charts import tips
from benchsuite.report.prose import prose

PART_COLOURS = {
    "import": 0, "build": 1, "compile": 2, "training": 5, "evaluation": 6,
    "data": 0, "calibration": 1, "parity": 2, "snapshots": 3, "timing": 5, "waiting": 7, "other": 6,
}  # fmt: skip
"""Part -> place of its colour: neighbours in a bar differ in lightness as well, on light and dark ground."""
HELP = {
    "import": "importing the framework, once: a worker imports it for all of its trials",
    "build": "making weights and program",
    "compile": "tracing and compiling what training and evaluation call, all shapes of batches",
    "training": "optimiser steps and the assembling of their batches",
    "evaluation": "the validation split after each epoch, and the test split",
    "data": "loading the data: a worker keeps those of its latest trial",
    "calibration": "finding the fastest way to run the model here",
    "parity": "the float64 reference, and the comparison with it",
    "snapshots": "gradient statistics",
    "timing": "the timed rounds of steps, inference and copying",
    "waiting": "for other trials that were timed",
    "other": "the rest: the record, the environment, and freeing memory",
}


def time_to_trained(runs: Sequence[Run], backends: Sequence[str]) -> Iterator[Block]:
    """Two charts on one scale, and their numbers."""
    found = shared_times(runs, backends)
    if not found.backends:
        yield Paragraph(
            "These records do not say where the time of their trials went: the trials have to run again.",
            "note",
        )
        return
    yield from prose("backends_time")
    yield Paragraph(_answer(found.backends))
    if found.left_out:
        yield Paragraph(
            f"Left out, because no trial is of all backends: {format_list(list(found.left_out))}.", "note"
        )
    longest = max(max(one.to_trained, one.added) for one in found.backends)
    yield Grid(
        (
            _chart("Seconds to trained", found.backends, TO_TRAINED, longest),
            _chart("What this suite adds", found.backends, ADDED, longest),
        ),
        wide=True,
    )
    yield _trained_table(found.backends)
    yield _added_table(found.backends)


def _answer(found: Sequence[SharedTime]) -> str:
    trials = format_count(found[0].trials, "trial")
    first = min(found, key=lambda one: one.to_trained)
    taken = format_value(first.to_trained, form="seconds")
    said = f"Over {trials} that all of them ran, {first.backend} had its models trained in {taken}"
    others = sorted((one for one in found if one is not first), key=lambda one: one.to_trained)
    if not others:
        return f"{said}."
    words = [f"{one.backend} {format_ratio(one.to_trained / first.to_trained)} times" for one in others]
    return f"{said}; {format_list(words)} as long."


def _chart(title: str, found: Sequence[SharedTime], parts: Sequence[str], longest: float) -> Chart:
    """A stacked bar per backend. Parts that no backend has are not drawn."""
    shown = [part for part in parts if any(one.wall[part] > 0 for one in found)]
    rows: list[dict[str, Any]] = [
        {"backend": one.backend, "part": part, "place": place, "seconds": one.wall[part],
         "shown": format_value(one.wall[part], form="seconds")}
        for one in found
        for place, part in enumerate(shown)
    ]  # fmt: skip
    legend = Legend("part", {part: place_look(PART_COLOURS[part]) for part in shown}, points=False)
    names = [one.backend for one in found]
    drawn = (
        alt.Chart(named())
        .mark_bar(height={"band": 0.65})
        .encode(
            x=alt.X(
                "seconds:Q",
                title="seconds",
                stack="zero",
                scale=alt.Scale(domain=[0, longest], nice=True),
                axis=alt.Axis(tickCount=5),
            ),
            y=alt.Y("backend:N", sort=names, title=None, axis=alt.Axis(labelLimit=200)),
            color=legend.colour(),
            order=alt.Order("place:Q"),
            tooltip=tips({"backend:N": "run by", "part:N": "part", "shown:N": "seconds"}),
        )
    )
    totals = {one.backend: sum(one.wall[part] for part in parts) for one in found}
    told = [f"{name} {format_value(total, form='seconds')}" for name, total in totals.items()]
    return chart(
        title,
        drawn,
        rows,
        f"Stacked bars of seconds by part: {format_list(list(shown))}. In all: {format_list(told)}.",
        height=40 + 34 * len(found),
        legend=legend,
    )


def _trained_table(found: Sequence[SharedTime]) -> Table:
    columns = (
        Column("run by"),
        Column("trials", "integer", "models and seeds that all backends ran"),
        *(Column(part, "seconds", HELP[part], group="paid") for part in TO_TRAINED),
        Column("to trained", "seconds", "the sum of these parts", group="paid"),
        Column("times the soonest", "number"),
        Column("CPU to trained", "seconds", "processor time of these parts without the import", group="paid"),
    )
    least = min(one.to_trained for one in found)
    rows: list[list[Value | TableCell]] = []
    for one in found:
        parts = [one.wall[part] for part in TO_TRAINED]
        mark: Mark = "best" if one.to_trained == least and len(found) > 1 else ""
        ratio = one.to_trained / least if least else None
        times = TableCell(ratio, "" if ratio is None else format_ratio(ratio))
        rows.append(
            [one.backend, one.trials, *parts, TableCell(one.to_trained, mark=mark), times, one.to_trained_cpu]
        )
    return Table("Seconds to trained, by part", columns, rows)


def _added_table(found: Sequence[SharedTime]) -> Table:
    columns = (
        Column("run by"),
        *(Column(part, "seconds", HELP[part], group="added") for part in ADDED),
        Column("in all", "seconds", "what this suite adds", group="added"),
    )
    rows: list[list[Value | TableCell]] = [
        [one.backend, *(one.wall[part] for part in ADDED), one.added] for one in found
    ]
    return Table("Seconds that this suite adds, by part", columns, rows)
