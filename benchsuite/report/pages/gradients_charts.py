"""Charts of the page on gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt

from benchsuite.analysis.decay import MOMENTS, Moment
from benchsuite.analysis.gradient_profiles import CellGroup, GradientProfile, teaching_order, thinned
from benchsuite.contracts.report import Chart, Column, Table, TableCell, Value
from benchsuite.report.axes import PLAIN_NUMBERS, log_axis, marks
from benchsuite.report.charts import cell_legend, chart, named, plain_legend
from benchsuite.report.formatting import format_number

MOST_LAGS = 100
"""Lags of a curve or of a row of a heat map that are drawn."""
FAINTEST = 1e-8
"""Shares below this one are drawn as this one."""
SAID = {"start": "before training", "end": "after training"}


def said(when: str) -> str:
    """`end` -> `after training`; `epoch_7` -> `after epoch 7`."""
    return SAID.get(when, f"after {when.replace('_', ' ')}")


def curves_chart(group: CellGroup, when: str) -> Chart | None:
    """What is left of the gradient by lag, a line for each cell."""
    profiles = group.of(when)
    if not profiles:
        return None
    rows = _rows(profiles)
    everything = [
        max(FAINTEST, left) for profile in group.profiles for _, left in thinned(profile, MOST_LAGS)
    ]
    legend = cell_legend((profile.cell for profile in profiles), lines=True)
    drawn = (
        alt.Chart(named())
        .mark_line(strokeWidth=2.2, clip=True)
        .encode(
            x=alt.X("lag:Q", title="steps back in time", axis=alt.Axis(grid=False, tickCount=5)),
            y=alt.Y("left:Q", title="gradient left", **log_axis(everything)),
            color=legend.colour(),
            strokeDash=legend.dash(),
            tooltip=[alt.Tooltip("cell:N"), alt.Tooltip("lag:Q"), alt.Tooltip("shown:N", title="left")],
        )
    )
    return chart(
        f"{said(when).capitalize()}",
        drawn,
        rows,
        f"What is left of the gradient by steps back in time, {said(when)}. {reading(profiles)}",
        table=_table(f"Gradient left by lag, {said(when)}", profiles),
        height=260,
        legend=legend,
    )


def heat_chart(group: CellGroup) -> Chart:
    """The same as a picture: a row for each cell and moment of training, a column for each lag."""
    moments = list(dict.fromkeys(profile.when for profile in group.profiles))
    rows = [row for when in moments for profile in group.of(when) for row in _fields(profile)]
    names = [
        f"{cell}, {said(when)}"
        for cell in teaching_order({profile.cell for profile in group.profiles})
        for when in moments
    ]
    lowest = min([1e-3, *(max(FAINTEST, float(row["left"])) for row in rows)])
    highest = max([1.0, *(float(row["left"]) for row in rows)])
    drawn = (
        alt.Chart(named())
        .mark_rect()
        .encode(
            x=alt.X(
                "lag:Q",
                title="steps back in time",
                scale=alt.Scale(domain=[0, group.longest + 1], nice=False),
                axis=alt.Axis(grid=False, tickCount=8),
            ),
            x2="to:Q",
            y=alt.Y("row:N", sort=names, title=None, axis=alt.Axis(labelLimit=180)),
            color=alt.Color(
                "left:Q",
                title="left",
                scale=alt.Scale(type="log", domain=[lowest, highest], clamp=True, scheme="viridis"),
                legend=alt.Legend(values=marks(lowest, highest), gradientLength=200, labelExpr=PLAIN_NUMBERS),
            ),
            tooltip=[
                alt.Tooltip("row:N", title="cell"), alt.Tooltip("lag:Q"), alt.Tooltip("shown:N", title="left"),
            ],
        )
    )  # fmt: skip
    return chart(
        "The same as a picture",
        drawn,
        rows,
        "Heat map of what is left of the gradient: a row for each cell and moment of training, the last "
        f"time step at the left. {reading(group.of('end') or group.profiles)}",
        "Bright: all of the gradient arrives. Dark: nothing does.",
        height=40 + 24 * len({row["row"] for row in rows}),
    )


def _fields(profile: GradientProfile) -> list[dict[str, Any]]:
    """A field of the heat map for each lag that is drawn, as wide as the way to the next one."""
    rows = _rows([profile])
    nexts = [row["lag"] for row in rows[1:]] + [profile.last[0] + 1]
    name = f"{profile.cell}, {said(profile.when)}"
    return [row | {"row": name, "to": end} for row, end in zip(rows, nexts, strict=True)]


def reading(profiles: Sequence[GradientProfile]) -> str:
    """What the curves say at their far end, in a sentence."""
    parts = [f"{profile.cell} {format_number(profile.last[1])}" for profile in profiles]
    lag = max(profile.last[0] for profile in profiles)
    return f"{lag} steps back, this share of the gradient is left: {', '.join(parts)}."


def _rows(profiles: Sequence[GradientProfile]) -> list[dict[str, Any]]:
    return [
        {
            "cell": profile.cell,
            "lag": lag,
            "left": float(f"{max(left, FAINTEST):.4g}"),
            "shown": format_number(left),
        }
        for profile in profiles
        for lag, left in thinned(profile, MOST_LAGS)
    ]


def _table(title: str, profiles: Sequence[GradientProfile]) -> Table:
    rows: list[list[Value | TableCell]] = [
        [profile.cell, lag, left] for profile in profiles for lag, left in thinned(profile, MOST_LAGS)
    ]
    return Table(title, (Column("cell"), Column("lag", "integer"), Column("left", "scientific")), rows)


def verdicts_chart(counts: Mapping[tuple[str, Moment, str], int], order: Sequence[str]) -> Chart:
    """Share of trials by verdict, a bar for each cell before and after training."""
    cells = teaching_order({cell for cell, _, _ in counts})
    names = {
        (cell, when): f"{cell}, {said(when)}"
        for cell in cells
        for when in MOMENTS
        if any((cell, when) == known[:2] for known in counts)
    }
    rows = [
        {"bar": names[cell, when], "verdict": word, "trials": number, "place": order.index(word)}
        for (cell, when, word), number in counts.items()
    ]
    share = alt.Axis(format="%", tickCount=5)
    found = {row["verdict"] for row in rows}
    all_looks = plain_legend("verdict", order, lines=False)
    legend = replace(all_looks, looks={word: look for word, look in all_looks.looks.items() if word in found})
    drawn = (
        alt.Chart(named())
        .mark_bar(height={"band": 0.6})
        .encode(
            x=alt.X("trials:Q", stack="normalize", title="share of trials", axis=share),
            y=alt.Y("bar:N", sort=list(names.values()), title=None, axis=alt.Axis(labelLimit=180)),
            color=legend.colour(),
            order=alt.Order("place:Q"),
            tooltip=[alt.Tooltip("bar:N", title="cell"), alt.Tooltip("verdict:N"), alt.Tooltip("trials:Q")],
        )
    )
    worded = [f"{row['bar']}: {row['verdict']} {row['trials']}" for row in rows]
    return chart(
        "Verdicts by cell, before and after training",
        drawn,
        rows,
        "Share of trials by verdict on their gradients, a bar for each cell before and after training. "
        f"{'; '.join(worded)}.",
        height=40 + 26 * len(names),
        legend=legend,
    )


def lines_chart(
    title: str,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    x: str,
    y: str,
    name: str,
) -> Chart | None:
    """Positive values by x on a logarithmic axis, a line for each name; None where there is no point."""
    rows: list[dict[str, Any]] = [
        {"line": line, "x": at, "y": value, "shown": format_number(value)}
        for line, points in lines.items()
        for at, value in points
        if math.isfinite(value) and value > 0
    ]
    if not rows:
        return None
    legend = plain_legend("line", list(lines), name)
    drawn = (
        alt.Chart(named())
        .mark_line(strokeWidth=1.8)
        .encode(
            x=alt.X("x:Q", title=x, axis=alt.Axis(grid=False, tickCount=6)),
            y=alt.Y("y:Q", title=y, **log_axis(row["y"] for row in rows)),
            color=legend.colour(),
            strokeDash=legend.dash(),
            tooltip=[
                alt.Tooltip("line:N", title=name),
                alt.Tooltip("x:Q", title=x),
                alt.Tooltip("shown:N", title=y),
            ],
        )
    )
    ends = [f"{line} {format_number(points[-1][1])}" for line, points in lines.items() if points]
    columns = (Column(name), Column(x, "number"), Column(y, "number"))
    table = Table(title, columns, [[row["line"], row["x"], row["y"]] for row in rows])
    return chart(
        title,
        drawn,
        rows,
        f"{y} by {x}, a line for each {name}. At the end: {', '.join(ends)}.",
        table=table,
        legend=legend,
    )
