"""Charts of a task: learning curves with what seeds span, and time to target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Aggregate
from benchsuite.contracts.report import Block, Chart, Column, Grid, Paragraph, Table, TableCell
from benchsuite.errors import StoreError
from benchsuite.report.charts import backend_colour, chart, colour, named
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_number, format_value
from benchsuite.report.pages.rankings import model_words

LOG = alt.Scale(type="log", nice=False, padding=15)
MOST_CURVES = 8
"""Models whose curves are drawn: as many as there are colours."""
MOST_CURVE_SEEDS = 10
MOST_CURVE_POINTS = 120
TARGET, REACHED = "train/time_to_target_seconds", "train/target_reached"


@dataclass(frozen=True)
class Curve:
    """One curve of a model over its seeds, at the x that all of them have."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: int


def learning_charts(results: TaskResults, ranking: Ranking) -> Iterator[Block]:
    """The validation metric by epoch and the training loss by step, of the best models and of the worst one."""
    models = list(ranking.models)
    if len(models) > MOST_CURVES:
        models = [*models[: MOST_CURVES - 1], models[-1]]
        yield Paragraph(
            f"Drawn are the {MOST_CURVES - 1} best of {format_count(len(ranking.models), 'model')}, and the "
            "worst one.",
            "note",
        )
    try:
        curves = {
            name: _curves(results, models, ranking, name) for name in (f"val/{ranking.metric}", "train/loss")
        }
    except StoreError as error:
        yield Paragraph(f"Curves cannot be read: {error}", "warning")
        return
    name = ranking.metric.replace("_", " ")
    charts = [
        _chart(f"Validation {name} by epoch", curves[f"val/{ranking.metric}"], "epoch", name, False),
        _chart("Training loss by step", curves["train/loss"], "step", "loss", True),
    ]
    drawn = [one for one in charts if one is not None]
    if not drawn:
        yield Paragraph("No trial of these models recorded curves.", "note")
        return
    yield Grid(tuple(drawn), wide=True)
    yield Paragraph(
        "Lines are means over seeds of each model's fastest run; a band spans its lowest and its highest "
        "seed.",
        "note",
    )


def _curves(results: TaskResults, models: Sequence[Model], ranking: Ranking, name: str) -> dict[str, Curve]:
    found: dict[str, Curve] = {}
    for model in models:
        curve = _over_seeds(results, model.fastest, name)
        if curve is not None:
            found[model_words(model, ranking)] = curve
    return found


def _over_seeds(results: TaskResults, run: Aggregate, name: str) -> Curve | None:
    """The curve over the seeds of a run, cut to the shortest of them where training ended early."""
    by_trial = {entry.record.trial_id: entry for entry in results.entries if entry.counts}
    lines = [
        (np.array(one.x), np.array(one.y))
        for record in run.records[:MOST_CURVE_SEEDS]
        for one in by_trial[record.trial_id].series()
        if one.name == name
    ]
    if not lines:
        return None
    length = min(len(x) for x, _ in lines)
    x = lines[0][0][:length]
    table = np.array([y[:length] for _, y in lines], np.float64)
    if name.startswith("train/"):
        x, table = _smoothed(x, table)
    return Curve(x, table.mean(axis=0), table.min(axis=0), table.max(axis=0), len(lines))


def _smoothed(x: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of equal stretches, at most MOST_CURVE_POINTS of them: losses of single batches jump."""
    if len(x) <= MOST_CURVE_POINTS:
        return x, table
    edges = np.linspace(0, len(x), MOST_CURVE_POINTS + 1).astype(int)[:-1]
    sizes = np.diff([*edges, len(x)])
    return np.add.reduceat(x, edges) / sizes, np.add.reduceat(table, edges, axis=1) / sizes


def _chart(title: str, curves: dict[str, Curve], x: str, y: str, log: bool) -> Chart | None:
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


def target_chart(ranking: Ranking) -> tuple[Block, ...]:
    """Time to target of every run, where recipes name a target; nothing where none does."""
    rows = []
    for model in ranking.models:
        for run in model.runs:
            reached, taken = run.scalars.get(REACHED), run.scalars.get(TARGET)
            if reached is not None:
                hits = sum(record.scalars.get(REACHED) == 1.0 for record in run.records)
                rows.append((model_words(model, ranking), run, hits, taken))
    if not rows:
        return ()
    targets = sorted(
        {run.trial.recipe.target for _, run, _, _ in rows if run.trial.recipe.target is not None}
    )
    said = (
        f"validation {ranking.metric.replace('_', ' ')} of {', '.join(map(format_number, targets))}"
        if targets
        else "target"
    )
    text = (
        f"Time of training, compilation included, until the end of the first epoch that reached a {said}. "
        "Seeds that never reached it are not in the mean: look at how many did."
    )
    columns = (
        Column("model"), Column("run by"), Column("time to target", "seconds"), Column("seeds that reached it"),
        Column("sequences/s", "rate"),
    )  # fmt: skip
    table = Table(
        "Time to target",
        columns,
        [
            [
                name,
                ranking.way(run),
                TableCell(taken.mean, half=taken.half_width) if taken and hits else None,
                TableCell(
                    hits, f"{hits} of {len(run.records)}", mark="" if hits == len(run.records) else "bad"
                ),
                speed.mean if (speed := run.speed()) is not None else None,
            ]
            for name, run, hits, taken in sorted(rows, key=lambda row: _order(row[3] if row[2] else None))
        ],
    )
    points = [
        {"model": name, "backend": run.trial.backend, "run by": ranking.way(run), "seconds": taken.mean,
         "shown": format_value(taken.mean, form="seconds"), "reached": f"{hits} of {len(run.records)}"}
        for name, run, hits, taken in rows
        if taken and hits and taken.mean > 0
    ]  # fmt: skip
    if not points:
        return (Paragraph(text), Paragraph("No run reached it.", "warning"), table)
    names = list(dict.fromkeys(str(point["model"]) for point in points))[:40]
    drawn = (
        alt.Chart(named())
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(
            x=alt.X(
                "seconds:Q", title="seconds to target", scale=LOG, axis=alt.Axis(tickCount=5)
            ),
            y=alt.Y("model:N", title=None, sort=names, axis=alt.Axis(labelLimit=240, grid=True)),
            color=backend_colour(str(point["backend"]) for point in points),
            tooltip=[
                alt.Tooltip("model:N"), alt.Tooltip("run by:N"), alt.Tooltip("shown:N", title="time to target"),
                alt.Tooltip("reached:N", title="seeds that reached it"),
            ],
        )
    )  # fmt: skip
    quickest = min(points, key=lambda point: float(str(point["seconds"])))
    drawing = chart(
        "Time to target by model and backend",
        drawn,
        [point for point in points if point["model"] in names],
        f"Seconds to target by model and backend; the quickest is {quickest['model']} with "
        f"{quickest['run by']}, {quickest['shown']}.",
        height=max(90, 24 * len(names) + 10),
    )
    return (Paragraph(text), drawing, table)


def _order(taken: object) -> float:
    mean = getattr(taken, "mean", math.inf)
    return mean if math.isfinite(mean) else math.inf
