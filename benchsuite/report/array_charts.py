"""Charts of bare arrays, in the colours of the report: lines, and tables of numbers as pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import ArrayLike

from benchsuite.contracts.report import Chart
from benchsuite.errors import RequestError
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import chart, named, plain_legend
from benchsuite.report.formatting import format_number

FEW_POINTS = 30
"""Points up to which each of them has a dot."""
FIELD = 18
"""Pixels of a number's side in a picture of few rows; a picture of many rows has smaller ones."""
TALLEST = 320
"""Pixels of the height of a picture's fields, where they can be that small."""
WIDEST = 640
"""Pixels of the width of all pictures side by side."""


def line_chart(
    title: str,
    lines: Mapping[str, ArrayLike],
    x: str = "step",
    y: str = "value",
    log: bool = False,
    height: int = 240,
) -> Chart:
    """A line for each of `lines`: its values (n,) at 0 to n - 1, or its points (n, 2), x and y. What is not
    finite is left out; under `log` what is not positive as well.

    Raises RequestError where nothing is left to draw, or for an array of another shape.
    """
    rows: list[dict[str, Any]] = []
    for name, given in lines.items():
        points = np.asarray(given, np.float64)
        if points.ndim == 1:
            points = np.stack([np.arange(len(points)), points], axis=1)
        if points.ndim != 2 or points.shape[1] != 2:
            raise RequestError(
                f"line {name!r} has the shape {np.shape(given)}: give its values (n,) or points (n, 2)"
            )
        rows += [
            {"line": name, "x": float(at), "y": float(value), "shown": format_number(float(value))}
            for at, value in points
            if math.isfinite(at + value) and (value > 0 or not log)
        ]
    if not rows:
        raise RequestError(f"{title!r}: there is no value that can be drawn")
    names = [name for name in lines if any(row["line"] == name for row in rows)]
    dots = (
        {"size": 26, "aria": False}
        if max(map(len, map(np.atleast_1d, lines.values()))) <= FEW_POINTS
        else False
    )
    axis: dict[str, Any] = log_axis(row["y"] for row in rows) if log else {"scale": alt.Scale(zero=False)}
    encoded: dict[str, Any] = {
        "x": alt.X("x:Q", title=x, axis=alt.Axis(grid=False, tickMinStep=1)),
        "y": alt.Y("y:Q", title=y, **axis),
        "tooltip": [alt.Tooltip("line:N"), alt.Tooltip("x:Q", title=x), alt.Tooltip("shown:N", title=y)],
    }
    legend = plain_legend("line", names)
    if len(names) > 1:
        encoded |= {"color": legend.colour(), "strokeDash": legend.dash()}
    drawn = alt.Chart(named()).mark_line(strokeWidth=2, point=dots, aria=False).encode(**encoded)
    last = {row["line"]: row["shown"] for row in rows}
    said = ", ".join(f"{name} {value}" for name, value in last.items())
    return chart(title, drawn, rows, f"{y} by {x}. At the end: {said}.", height=height, legend=legend)


def picture_chart(
    title: str,
    pictures: Mapping[str, ArrayLike],
    x: str = "column",
    y: str = "row",
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
) -> Chart:
    """Tables of numbers (height, width), each a picture under its name, side by side in one scale of colours:
    around zero where values have both signs.

    :param columns: words for the columns in place of their numbers. :param rows: words for the rows.

    Raises RequestError for no table, or one that is not of two dimensions or holds a value that is not finite.
    """
    tables = {name: np.asarray(given, np.float64) for name, given in pictures.items()}
    for name, table in tables.items():
        if table.ndim != 2 or not table.size or not np.isfinite(table).all():
            raise RequestError(f"picture {name!r} must be a table of finite numbers (height, width)")
    if not tables:
        raise RequestError(f"{title!r}: there is no picture to draw")
    values = [
        {"name": name, "x": column, "y": row, "value": float(f"{value:.4g}")}
        for name, table in tables.items()
        for (row, column), value in np.ndenumerate(table)
    ]
    low = min(float(table.min()) for table in tables.values())
    high = max(float(table.max()) for table in tables.values())
    most = max(map(abs, (low, high)))
    signed = low < 0 < high
    scale = alt.Scale(scheme="blueorange", domain=[-most, most]) if signed else alt.Scale(scheme="viridis")
    height = max(len(table) for table in tables.values())
    width = max(table.shape[1] for table in tables.values())
    side = max(3, min(FIELD, TALLEST // height, WIDEST // (width * len(tables))))
    fields: dict[str, Any] = {
        "x": alt.X("x:O", title=x, axis=_axis(columns, width, side, -50)),
        "y": alt.Y("y:O", title=y, axis=_axis(rows, height, side, 0)),
        "color": alt.Color("value:Q", title=None, scale=scale, legend=alt.Legend(gradientLength=160)),
        "tooltip": [alt.Tooltip("name:N"), alt.Tooltip("x:O"), alt.Tooltip("y:O"), alt.Tooltip("value:Q")],
    }
    if len(tables) > 1:
        order = list(tables)
        fields["column"] = alt.Column("name:N", title=None, sort=order, header=alt.Header(labelFontSize=12))
    drawn = alt.Chart(named()).mark_rect(aria=False).encode(**fields)
    spec = drawn.properties(width=side * width, height=side * height).to_dict()
    spec.pop("config", None)
    spec["datasets"] = {"rows": values}
    said = f"{y} by {x}, values from {format_number(low)} to {format_number(high)}"
    return Chart(title, spec, f"Pictures of numbers: {', '.join(tables)}. {said}.")


def _axis(words: Sequence[str], count: int, side: int, angle: int) -> Any:
    """Labels: words where there are some, else numbers that have room."""
    if words:
        known = [f"datum.value == {place} ? {_quoted(word)} : " for place, word in enumerate(words[:count])]
        return alt.Axis(labelExpr="".join(known) + "''", labelAngle=angle, labelOverlap=False, ticks=False)
    stride = max(1, math.ceil(22 / side))
    return alt.Axis(values=list(range(0, count, stride)), labelAngle=0, ticks=False)


def _quoted(word: str) -> str:
    """A text of Vega's language of expressions."""
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
