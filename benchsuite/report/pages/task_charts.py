"""Charts of a task: learning curves with what seeds span, and time to target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import altair as alt
import numpy as np

from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Aggregate
from benchsuite.contracts.report import Block, Column, Grid, Paragraph, Table, TableCell
from benchsuite.errors import StoreError
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import backend_legend, chart, named
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_number, format_value
from benchsuite.report.pages.curve_charts import Curve, curve_over_seeds, curves_chart, models_legend
from benchsuite.report.pages.rankings import model_words

MOST_CURVES = 8
"""Models whose curves are drawn: as many as there are colours."""
MOST_CURVE_SEEDS = 10
TARGET, REACHED = "train/time_to_target_seconds", "train/target_reached"


def learning_charts(results: TaskResults, ranking: Ranking) -> Iterator[Block]:
    """The validation metric by epoch and the training loss by step, of the best models and of the worst one."""
    models = drawn_models(ranking)
    if len(models) < len(ranking.models):
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
    legend = models_legend(models, ranking)
    validation = curves[f"val/{ranking.metric}"]
    charts = [
        curves_chart(f"Validation {name} by epoch", validation, "epoch", name, False, legend),
        curves_chart("Training loss by step", curves["train/loss"], "step", "loss", True, legend),
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


def drawn_models(ranking: Ranking) -> list[Model]:
    """The models that charts of curves show: all, or the best ones and the worst."""
    models = list(ranking.models)
    return models if len(models) <= MOST_CURVES else [*models[: MOST_CURVES - 1], models[-1]]


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
    return curve_over_seeds(lines, smooth=name.startswith("train/"))


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
    legend = backend_legend(str(point["backend"]) for point in points)
    across = log_axis(float(str(point["seconds"])) for point in points)
    drawn = (
        alt.Chart(named())
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(
            x=alt.X("seconds:Q", title="seconds to target", **across),
            y=alt.Y("model:N", title=None, sort=names, axis=alt.Axis(labelLimit=240, grid=True)),
            color=legend.colour(),
            shape=legend.shape(),
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
        legend=legend,
    )
    return (Paragraph(text), drawing, table)


def _order(taken: object) -> float:
    mean = getattr(taken, "mean", math.inf)
    return mean if math.isfinite(mean) else math.inf
