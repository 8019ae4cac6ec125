"""Curves of several models in one chart: their means over seeds, with what the seeds span."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from benchsuite.contracts.report import Chart, Column, Table
from benchsuite.report.charts import chart, colour, named
from benchsuite.report.formatting import format_number

MOST_CURVE_POINTS = 120


@dataclass(frozen=True)
class Curve:
    """One curve of a model over its seeds, at the x that all of them have."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: int


def curve_over_seeds(lines: Sequence[tuple[np.ndarray, np.ndarray]], smooth: bool = False) -> Curve:
    """The curve of at least one seed's (x, y), cut to the shortest of them.

    :param smooth: show means of stretches where there are more than MOST_CURVE_POINTS points.
    """
    length = min(len(x) for x, _ in lines)
    x = lines[0][0][:length]
    table = np.array([y[:length] for _, y in lines], np.float64)
    if smooth:
        x, table = _smoothed(x, table)
    return Curve(x, table.mean(axis=0), table.min(axis=0), table.max(axis=0), len(lines))


def _smoothed(x: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of equal stretches, at most MOST_CURVE_POINTS of them: losses of single batches jump."""
    if len(x) <= MOST_CURVE_POINTS:
        return x, table
    edges = np.linspace(0, len(x), MOST_CURVE_POINTS + 1).astype(int)[:-1]
    sizes = np.diff([*edges, len(x)])
    return np.add.reduceat(x, edges) / sizes, np.add.reduceat(table, edges, axis=1) / sizes


def curves_chart(title: str, curves: dict[str, Curve], x: str, y: str, log: bool) -> Chart | None:
    """A line for each model of `curves`, y on a linear or a logarithmic axis; None where nothing finite can be
    drawn."""
    rows: list[dict[str, Any]] = [
        {"model": name, "x": float(at), "mean": float(mean), "low": float(low), "high": float(high),
         "shown": format_number(float(mean)), "seeds": curve.seeds}
        for name, curve in curves.items()
        for at, mean, low, high in zip(curve.x, curve.mean, curve.low, curve.high, strict=True)
        if math.isfinite(mean + low + high) and (low > 0 or not log)
    ]  # fmt: skip
    if not rows:
        return None
    names = [name for name in curves if any(row["model"] == name for row in rows)]
    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    hue = colour("model", names, names)
    base = alt.Chart(named()).encode(
        x=alt.X("x:Q", title=x, axis=alt.Axis(grid=False, format=",d", tickMinStep=1)), color=hue
    )
    layers = []
    if any(curve.seeds > 1 for curve in curves.values()):
        layers.append(
            base.mark_area(opacity=0.16).encode(y=alt.Y("low:Q", title=y, scale=scale), y2=alt.Y2("high:Q"))
        )
    few = max(len(curve.x) for curve in curves.values()) <= 20
    layers.append(
        base.mark_line(strokeWidth=1.8, point={"size": 22} if few else False).encode(
            y=alt.Y("mean:Q", title=y, scale=scale),
            tooltip=[
                alt.Tooltip("model:N"), alt.Tooltip("x:Q", title=x, format=",.4~r"),
                alt.Tooltip("shown:N", title=y), alt.Tooltip("seeds:Q"),
            ],
        )
    )  # fmt: skip
    columns = (
        Column("model"), Column(x, "number"), Column(y, "number"), Column("lowest seed", "number"),
        Column("highest seed", "number"), Column("seeds", "integer"),
    )  # fmt: skip
    table = Table(
        title,
        columns,
        [[row["model"], row["x"], row["mean"], row["low"], row["high"], row["seeds"]] for row in rows],
    )
    last = [f"{name} {format_number(float(curve.mean[-1]))}" for name, curve in list(curves.items())[:4]]
    return chart(
        title,
        alt.layer(*layers),
        rows,
        f"{y} by {x}, a line per model. At the end: {', '.join(last)}.",
        table=table,
        height=300,
    )
