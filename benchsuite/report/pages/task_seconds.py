"""How the best model of a task learned, by each backend: over seconds, and over optimiser steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchsuite.analysis.epoch_times import EpochTimes, epoch_times
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Aggregate
from benchsuite.contracts.report import Block, Grid, Paragraph
from benchsuite.report.charts import backend_legend, plain_legend
from benchsuite.report.data import TaskResults
from benchsuite.report.pages.curve_charts import Curve, curve_over_seeds, curves_chart
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.pages.task_charts import MOST_CURVE_SEEDS
from benchsuite.schema import Record


def by_backend(results: TaskResults, ranking: Ranking, model: Model) -> Iterator[Block]:
    """The validation metric of one model by backend; nothing where fewer than two runs have its curve."""
    found = {
        ranking.way(run): one for run in model.runs if (one := _curves(results, ranking, run)) is not None
    }
    if len(found) < 2:
        return
    name = ranking.metric.replace("_", " ")
    looks = backend_legend({run.trial.backend for run in model.runs}, lines=True)
    legend = plain_legend("model", list(found))
    if set(found) <= set(looks.looks):
        legend = backend_legend(found, lines=True, field="model")
        found = {way: found[way] for way in legend.looks}  # solid lines below dashed ones: they may be equal
    charts = [
        curves_chart(
            f"Validation {name} over {'seconds' if over == 'seconds' else 'steps'}, by backend",
            {way: seconds if over == "seconds" else steps for way, (seconds, steps, _) in found.items()},
            "seconds from the start" if over == "seconds" else "optimiser step", name, False, legend,
            across_log=over == "seconds",
        )
        for over in ("seconds", "steps")
    ]  # fmt: skip
    yield Grid(tuple(one for one in charts if one is not None), wide=True)
    said = (
        f"Of the best model, {model_words(model, ranking)}. Seconds are counted from the start: building and "
        "compilation are in them, the import of the framework and the evaluation are not. "
    )
    if not all(measured for _, _, measured in found.values()):
        said += (
            "These records hold no times of epochs: after the first step, every step counts as equally long. "
        )
    yield Paragraph(
        f"{said}Over steps all backends do the same work, so that their lines differ by rounding alone.",
        "note",
    )


def _curves(results: TaskResults, ranking: Ranking, run: Aggregate) -> tuple[Curve, Curve, bool] | None:
    """The metric over seconds and over steps, over the seeds of a run, and whether all their times were
    measured. Seconds are means over seeds."""
    lines: list[tuple[np.ndarray, EpochTimes]] = []
    for record in run.records[:MOST_CURVE_SEEDS]:
        values, times = _of(results, ranking, record)
        if values is not None and times is not None:
            lines.append((values, times))
    if not lines:
        return None
    most = min(min(len(values), len(times.seconds)) for values, times in lines)
    seconds = np.mean([times.seconds[:most] for _, times in lines], axis=0)
    steps = np.array(lines[0][1].steps[:most])
    return (
        curve_over_seeds([(seconds, values[:most]) for values, _ in lines]),
        curve_over_seeds([(steps, values[:most]) for values, _ in lines]),
        all(times.measured for _, times in lines),
    )


def _of(
    results: TaskResults, ranking: Ranking, record: Record
) -> tuple[np.ndarray | None, EpochTimes | None]:
    curves = results.curves(record)
    values = next((np.array(one.y) for one in curves if one.name == f"val/{ranking.metric}"), None)
    return values, epoch_times(record, curves)
