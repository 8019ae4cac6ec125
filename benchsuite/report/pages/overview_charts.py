"""Charts of the overview: accuracy against speed, and ranks over tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import altair as alt

from benchsuite.analysis.answers import pareto
from benchsuite.analysis.identity import words
from benchsuite.contracts.report import Chart, Column, Table
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import cell_legend, chart, named
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_list, format_number
from benchsuite.report.looks import ARCHITECTURE_ORDER, FILLS, fill_of, in_order

MOST_RUNS = 400
"""Runs that a chart of one task shows, the fastest of each model first."""


def tradeoff_chart(results: TaskResults, title: str = "") -> Chart | None:
    """The ranking metric against training speed, a point per model and backend, with its Pareto front; None
    where fewer than two models have both. Every run of a model has the model's metric, which is what is ranked.

    :param title: of the chart, where it is not the task's.
    """
    ranking = results.ranking
    assert ranking is not None
    rows: list[dict[str, Any]] = []
    for model in ranking.models:
        for run in model.runs:
            speed, metric = model.speed(run), model.metric
            if speed and metric and math.isfinite(metric.mean):
                told = [text.replace("=None", "=none") for text in words(run.trial, ranking.settings)]
                rows.append(
                    {
                        "speed": speed,
                        "metric": metric.mean,
                        "cell": run.trial.cell,
                        "architecture": run.trial.architecture,
                        "full": fill_of(run.trial.architecture),
                        "model": " ".join([model.name, *told]),
                        "backend": ranking.way(run),
                        "metric shown": format_number(metric.mean),
                        "speed shown": f"{format_number(speed)}/s",
                    }
                )
    rows = rows[:MOST_RUNS]
    if len({row["model"] for row in rows}) < 2:
        return None
    points = [(float(row["speed"]), float(row["metric"])) for row in rows]
    front = pareto(points, ranking.higher_is_better)
    on = [rows[at] for at in front]
    name = ranking.metric.replace("_", " ")
    legend = cell_legend(str(row["cell"]) for row in rows)
    x = alt.X(
        "speed:Q",
        title="training speed, sequences per second",
        **log_axis((float(row["speed"]) for row in rows), "si", grid=False),
    )
    y = alt.Y("metric:Q", title=name, scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=6))
    line = (
        alt.Chart(named("front"))
        .mark_line(strokeDash=[4, 3], strokeWidth=1.5, color="#8a9097", interpolate="linear")
        .encode(x=x, y=y, order=alt.Order("speed:Q"))
    )
    dots = (
        alt.Chart(named())
        .mark_point(size=70, strokeWidth=1.6, opacity=1)
        .encode(
            x=x,
            y=y,
            color=legend.colour(),
            fill=legend.fill(),
            shape=legend.shape(),
            fillOpacity=alt.FillOpacity("full:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("backend:N"),
                alt.Tooltip("metric shown:N", title=name),
                alt.Tooltip("speed shown:N", title="speed"),
            ],
        )
    )
    best = format_list([f"{row['model']} with {row['backend']}" for row in on[:4]])
    return chart(
        title or results.title,
        alt.layer(line, dots),
        {"rows": rows, "front": [{"speed": row["speed"], "metric": row["metric"]} for row in on]},
        f"{name} against training speed of {format_count(len(rows), 'run')}. On the Pareto front: {best}.",
        filled_words(str(row["architecture"]) for row in rows),
        table=_points_table(results, rows, set(front), name),
        height=280,
        legend=legend,
    )


def filled_words(architectures: Iterable[str]) -> str:
    """What the insides of the points say: `full is plain, half full deep, empty bidirectional`; "" where all
    are alike."""
    groups: dict[float, list[str]] = {}
    for name in in_order(architectures, ARCHITECTURE_ORDER):
        groups.setdefault(fill_of(name), []).append(name)
    if len(groups) < 2:
        return ""
    told = [f"{FILLS[share]}: {format_list(names)}" for share, names in sorted(groups.items(), reverse=True)]
    return f"Points that are {'; '.join(told)}."


def _points_table(results: TaskResults, rows: list[dict[str, Any]], front: set[int], name: str) -> Table:
    columns = (
        Column("model"), Column("backend"), Column(name, "number"), Column("sequences/s", "rate"),
        Column("front", help="whether no other run beats it in both"),
    )  # fmt: skip
    made = [
        [row["model"], row["backend"], row["metric"], row["speed"], at in front]
        for at, row in enumerate(rows)
    ]
    return Table(f"{results.title}: {name} against speed", columns, made)
