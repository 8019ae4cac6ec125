"""Curves of several models in one chart: their means over seeds, with what the seeds span."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import numpy as np

from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.contracts.report import Chart, Column, Table
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import Legend, chart, named
from benchsuite.report.formatting import format_number
from benchsuite.report.looks import model_looks
from benchsuite.report.pages.rankings import model_words

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


def curves_chart(
    title: str,
    curves: dict[str, Curve],
    x: str,
    y: str,
    log: bool,
    legend: Legend,
    across_log: bool = False,
) -> Chart | None:
    """A line for each name of `curves`, y on a linear or a logarithmic axis; None where nothing finite can be
    drawn.

    :param legend: by a field `model`, with a look for each name. :param across_log: whether x has a
        logarithmic axis.
    """
    rows: list[dict[str, Any]] = [
        {"model": name, "x": float(at), "mean": float(mean), "low": float(low), "high": float(high),
         "shown": format_number(float(mean)), "seeds": curve.seeds}
        for name, curve in curves.items()
        for at, mean, low, high in zip(curve.x, curve.mean, curve.low, curve.high, strict=True)
        if math.isfinite(mean + low + high) and (low > 0 or not log) and (at > 0 or not across_log)
    ]  # fmt: skip
    if not rows:
        return None
    upright: dict[str, Any] = {"scale": alt.Scale(zero=False)}
    if log:
        upright = log_axis(value for row in rows for value in (row["low"], row["high"]))
    drawn_names = {row["model"] for row in rows}
    legend = replace(legend, looks={name: look for name, look in legend.looks.items() if name in drawn_names})
    whole = all(float(row["x"]).is_integer() for row in rows)
    marked = {"format": ",d", "tickMinStep": 1, "tickCount": 8} if whole else {"tickCount": 8}
    across: dict[str, Any] = {"axis": alt.Axis(grid=False, **marked)}
    if across_log:
        across = log_axis((row["x"] for row in rows), grid=False)
    base = alt.Chart(named()).encode(x=alt.X("x:Q", title=x, **across), color=legend.colour())
    layers = []
    if any(curve.seeds > 1 for curve in curves.values()):
        layers.append(
            base.mark_area(opacity=0.16).encode(y=alt.Y("low:Q", title=y, **upright), y2=alt.Y2("high:Q"))
        )
    few = max(len(curve.x) for curve in curves.values()) <= 20
    height = alt.Y("mean:Q", title=y, **upright)
    line = base.mark_line(strokeWidth=1.8).encode(y=height, strokeDash=legend.dash())
    marks = base.mark_point(filled=True, size=34, opacity=1).encode(y=height, shape=legend.shape())
    layers += [
        layer.encode(
            tooltip=[
                alt.Tooltip("model:N"), alt.Tooltip("x:Q", title=x, format=",.4~r"),
                alt.Tooltip("shown:N", title=y), alt.Tooltip("seeds:Q"),
            ],
        )
        for layer in (line, *([marks] if few else []))
    ]  # fmt: skip
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
        legend=legend,
    )


def models_legend(models: Iterable[Model], ranking: Ranking) -> Legend:
    """By the field `model`, of model_words(): colour and shape of the cell, dash of the architecture."""
    known = [(model_words(model, ranking), model.fastest.trial) for model in models]
    return Legend(
        "model", model_looks([(name, trial.cell, trial.architecture) for name, trial in known]), lines=True
    )
