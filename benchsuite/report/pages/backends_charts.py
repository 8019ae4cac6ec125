"""Charts of the page on backends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import altair as alt

from benchsuite.analysis.runs import Run, geometric_mean
from benchsuite.analysis.scaling import BATCH_SIZE, HIDDEN_SIZE, SEQUENCE_LENGTH, PowerLaw
from benchsuite.contracts.report import Chart, Column, Table
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import backend_legend, chart, named, neutral_legend, plain_legend
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import format_count, format_number, format_value
from benchsuite.report.looks import CELLS, LIGHT

MOST_SCATTERED = 400
"""Points of a scatter chart; of more, evenly many are drawn."""
MOST_LAWS = 20
"""Lines of a scaling chart."""
PARTS = (
    ("import", "speed/import_seconds"),
    ("build", "speed/build_seconds"),
    ("first step", "speed/first_step_seconds"),
)
AXIS_TITLES = {
    HIDDEN_SIZE: "hidden units",
    SEQUENCE_LENGTH: "time steps per sequence",
    BATCH_SIZE: "sequences per batch",
}
ACCENT = LIGHT[6]
"""Of fields, at half its opacity, so that the text can be read in either theme."""
FLOPS = "speed/flops_per_step"


def tips(fields: Mapping[str, str]) -> list[Any]:
    """A tooltip of fields (with their types, as in `runner:N`), each under its title."""
    return [alt.Tooltip(field, title=title) for field, title in fields.items()]


def model_order(name: str) -> tuple[str, int]:
    """Sorts models by architecture and, within it, by cell."""
    cell, _, architecture = name.partition(" ")
    return architecture, CELLS.index(cell) if cell in CELLS else len(CELLS)


def relative_chart(runs: Sequence[Run], backends: Sequence[str]) -> Chart | None:
    """Speed relative to the model's fastest run, a field for each backend and model: of several ways of a
    backend the fastest one of each model. None where no model was run by two."""
    groups: dict[tuple[str, str], dict[int, float]] = {}
    for backend in backends:
        for run in runs:
            if run.backend == backend and run.relative:
                best = groups.setdefault((backend, run.name), {})
                best[id(run.model)] = max(best.get(id(run.model), 0.0), run.relative)
    if not groups:
        return None
    means = {key: geometric_mean(list(best.values())) for key, best in groups.items()}
    rows: list[dict[str, Any]] = [
        {"backend": backend, "model": model, "relative": mean, "of": len(groups[backend, model]),
         "shown": format_value(mean, form="share")}
        for (backend, model), mean in means.items()
    ]  # fmt: skip
    models = sorted({model for _, model in groups}, key=model_order)
    known = [backend for backend in backends if any(backend == row["backend"] for row in rows)]
    base = alt.Chart(named()).encode(
        x=alt.X(
            "model:N",
            sort=models,
            title=None,
            scale=alt.Scale(paddingInner=0.02),
            axis=alt.Axis(labelAngle=-35, labelLimit=180),
        ),
        y=alt.Y(
            "backend:N",
            sort=known,
            title=None,
            scale=alt.Scale(paddingInner=0.05),
            axis=alt.Axis(labelLimit=200),
        ),
        tooltip=tips(
            {"backend:N": "run by", "model:N": "model", "shown:N": "of the fastest", "of:Q": "models compared"}
        ),
    )  # fmt: skip
    fields = base.mark_rect(color=ACCENT).encode(
        opacity=alt.Opacity("relative:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.04, 0.5]))
    )
    texts = base.mark_text(fontSize=11).encode(text="shown:N")
    table = Table(
        "Speed relative to the fastest, by model and backend",
        (
            Column("run by"),
            Column("model"),
            Column("of the fastest", "share"),
            Column("models compared", "integer"),
        ),
        [[row["backend"], row["model"], row["relative"], row["of"]] for row in rows],
    )
    slowest = min(rows, key=lambda row: float(str(row["relative"])))
    return chart(
        "Training speed relative to the fastest",
        alt.layer(fields, texts),
        rows,
        f"A field for each of {format_count(len(known), 'backend')} and {format_count(len(models), 'model')}, "
        f"coloured by its speed relative to the fastest. Slowest: {slowest['backend']} with "
        f"{slowest['model']}, {slowest['shown']}.",
        "Geometric means over tasks and sizes; of several ways of a backend, the fastest one of each model. "
        "100 % everywhere in a row: fastest in each of them.",
        table,
        height=50 + 34 * len(known),
    )


def starting_chart(runs: Sequence[Run], backends: Sequence[str]) -> Chart | None:
    """Median cold start by backend, in its parts."""
    rows: list[dict[str, Any]] = []
    for backend in backends:
        for place, (part, scalar) in enumerate(PARTS):
            found = [
                value for run in runs if run.backend == backend and (value := run.mean(scalar)) is not None
            ]
            if found:
                rows.append(
                    {"backend": backend, "part": part, "place": place, "seconds": median(found),
                     "shown": format_value(median(found), form="seconds")}
                )  # fmt: skip
    if not rows:
        return None
    legend = plain_legend("part", [part for part, _ in PARTS], lines=False)
    drawn = (
        alt.Chart(named())
        .mark_bar(height={"band": 0.6})
        .encode(
            x=alt.X("seconds:Q", title="seconds", stack="zero", axis=alt.Axis(tickCount=6)),
            y=alt.Y("backend:N", sort=list(backends), title=None, axis=alt.Axis(labelLimit=200)),
            color=legend.colour(),
            order=alt.Order("place:Q"),
            tooltip=tips({"backend:N": "run by", "part:N": "part", "shown:N": "median"}),
        )
    )  # fmt: skip
    totals = {
        backend: sum(float(row["seconds"]) for row in rows if row["backend"] == backend)
        for backend in backends
    }
    slowest = max(totals, key=lambda backend: totals[backend])
    return chart(
        "Cold start, by its parts",
        drawn,
        rows,
        f"Stacked medians of import, build and first step by backend. Longest: {slowest}, "
        f"{format_value(totals[slowest], form='seconds')}.",
        height=40 + 32 * len(totals),
        legend=legend,
    )


def scaling_chart(found: Sequence[PowerLaw], title: str) -> Chart:
    """Seconds of a training step by size, both axes logarithmic, with the fitted lines."""
    shown = found[:MOST_LAWS]
    rows = [
        {
            "size": size,
            "seconds": taken,
            "fitted": _fitted(law, size),
            "backend": law.runs[0].aggregate.trial.backend,
            "runner": law.runs[0].runner,
            "model": law.runs[0].name,
            "unroll": law.runs[0].aggregate.trial.execution.unroll,
            "line": place,
            "shown": format_value(taken, form="seconds"),
            "exponent": format_value(law.exponent, law.half),
        }
        for place, law in enumerate(shown)
        for size, taken in zip(law.sizes, law.seconds, strict=True)
    ]
    size, title_of = shown[0].size, AXIS_TITLES[shown[0].size]
    sizes = [size for law in shown for size in law.sizes]
    x = alt.X("size:Q", title=title_of, **log_axis(sizes, "si", at=sizes, grid=False))
    legend = backend_legend(str(row["backend"]) for row in rows)
    ways = neutral_legend("unroll", dict.fromkeys(str(row["unroll"]) for row in rows), lines=True)
    models = neutral_legend("model", dict.fromkeys(str(row["model"]) for row in rows))
    shaped = models if len(models.looks) > 1 else legend
    base = alt.Chart(named()).encode(
        x=x,
        color=legend.colour(),
        detail="line:N",
        tooltip=tips(
            {"runner:N": "run by", "model:N": "model", "size:Q": size, "shown:N": "step",
             "exponent:N": "exponent"}
        ),
    )  # fmt: skip
    upright = log_axis([taken for law in shown for taken in law.seconds])
    y = alt.Y("seconds:Q", title="seconds per step", **upright)
    lines = base.mark_line(strokeWidth=1.4, opacity=0.7).encode(
        y=alt.Y("fitted:Q", **upright), strokeDash=ways.dash()
    )
    dots = base.mark_point(filled=True, size=55, opacity=0.9).encode(y=y, shape=shaped.shape())
    steepest = max(shown, key=lambda law: law.exponent)
    return chart(
        title,
        alt.layer(lines, dots),
        rows,
        f"Seconds of a training step by {title_of}, with fitted power laws. Steepest: "
        f"{steepest.runs[0].runner} with {steepest.runs[0].name}, exponent "
        f"{format_value(steepest.exponent, steepest.half)}.",
        height=300,
        legend=(legend, ways, models),
    )


def _fitted(law: PowerLaw, size: float) -> float:
    """The law's value: through the geometric means of its points."""
    return geometric_mean(law.seconds) * math.exp(law.exponent * math.log(size / geometric_mean(law.sizes)))


def roofline_chart(data: ReportData, runs: Sequence[Run]) -> Chart | None:
    """Rate of arithmetic by operations per step, and the rate that the machine reached at the same shapes."""
    points = []
    for run in runs:
        flops, step, peak = run.mean(FLOPS), run.wall_step, run.limit
        if flops and step and peak:
            points.append((run, flops, flops / step, peak))
    if not points:
        return None
    step_by = max(1, -(-len(points) // MOST_SCATTERED))
    rows = [
        {
            "flops": flops,
            "rate": rate,
            "peak": peak,
            "backend": run.aggregate.trial.backend,
            "runner": run.runner,
            "model": run.name,
            "task": data.task_of(run.ranking).title,
            "rate shown": f"{format_number(rate / 1e9)} GFLOP/s",
            "share": format_value(rate / peak, form="share"),
        }
        for run, flops, rate, peak in points[::step_by]
    ]
    x = alt.X(
        "flops:Q",
        title="operations of a training step",
        **log_axis([flops for _, flops, _, _ in points], "si", grid=False),
    )
    upright = log_axis([value for _, _, *both in points for value in both], "si")
    roof = (
        alt.Chart(named("limits"))
        .mark_tick(orient="horizontal", thickness=2, size=16, color="#6b6f73", opacity=0.8)
        .encode(x=x, y=alt.Y("rate:Q", **upright))
    )
    y = alt.Y("rate:Q", title="operations per second", **upright)
    legend = backend_legend(str(row["backend"]) for row in rows)
    dots = (
        alt.Chart(named())
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(
            x=x,
            y=y,
            color=legend.colour(),
            shape=legend.shape(),
            tooltip=tips(
                {"runner:N": "run by", "model:N": "model", "task:N": "task", "rate shown:N": "rate",
                 "share:N": "of the peak"}
            ),
        )
    )  # fmt: skip
    best = max(points, key=lambda point: point[2] / point[3])
    return chart(
        "Rate of arithmetic, below the machine's limit",
        alt.layer(roof, dots),
        {"rows": rows, "limits": [{"flops": row["flops"], "rate": row["peak"]} for row in rows]},
        f"Operations per second by operations per step, {format_count(len(rows), 'run')}; grey marks are the "
        f"limit at the same shapes. Nearest to it: {best[0].runner} with {best[0].name}, "
        f"{format_value(best[2] / best[3], form='share')}.",
        "Grey marks: the best rate of matrix products that this machine showed at each model's shapes.",
        height=300,
        legend=legend,
    )


def memory_chart(found: Mapping[str, Sequence[float]], backends: Sequence[str]) -> Chart | None:
    """Peak memory by backend: the span of its trials, and their median."""
    rows = [
        {"backend": backend, "low": min(found[backend]) / 2**20, "high": max(found[backend]) / 2**20,
         "middle": median(found[backend]) / 2**20, "shown": format_value(median(found[backend]), form="bytes"),
         "most": format_value(max(found[backend]), form="bytes")}
        for backend in backends
        if found.get(backend)
    ]  # fmt: skip
    if not rows:
        return None
    base = alt.Chart(named()).encode(
        y=alt.Y("backend:N", sort=list(backends), title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=tips({"backend:N": "run by", "shown:N": "median", "most:N": "largest"}),
    )  # fmt: skip
    spans = base.mark_rule(strokeWidth=5, opacity=0.6, color="#8a9097").encode(
        x=alt.X("low:Q", title="MiB", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6)), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, opacity=1, color=ACCENT).encode(x="middle:Q")
    most = max(rows, key=lambda row: float(str(row["middle"])))
    return chart(
        "Peak memory while training",
        alt.layer(spans, dots),
        rows,
        f"Span and median of peak memory by backend. Largest median: {most['backend']}, {most['shown']}.",
        height=40 + 28 * len(rows),
    )
