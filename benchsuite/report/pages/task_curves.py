"""Curves that a task made of its test split, such as accuracy by length: all models in one chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.contracts.report import Block, Column, Paragraph, Table, TableCell, Value
from benchsuite.errors import StoreError
from benchsuite.report.charts import Legend, plain_legend
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_number
from benchsuite.report.pages.curve_charts import Curve, curve_over_seeds, curves_chart, models_legend
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.pages.task_charts import MOST_CURVE_SEEDS, drawn_models
from benchsuite.schema import Exhibit

MOST_POINTS_IN_TABLE = 8
"""Most values of x in the table beside a chart."""


def exhibited_curves(results: TaskResults, ranking: Ranking) -> Iterator[Block]:
    """For each name of exhibits of kind `curve` a chart with a line per model, the mean over the seeds of the
    model's fastest run, and a table of some of its points. Nothing where the best model has no such exhibit."""
    models = drawn_models(ranking)
    try:
        if not _curves_of(results, models[0], 1):
            return
        found = {
            model_words(model, ranking): _curves_of(results, model, MOST_CURVE_SEEDS) for model in models
        }
    except StoreError as error:
        yield Paragraph(f"Curves cannot be read: {error}", "warning")
        return
    titles = dict.fromkeys(one.name for exhibits in found.values() for one in exhibits)
    for title in titles:
        named = {model: [one for one in exhibits if one.name == title] for model, exhibits in found.items()}
        legend = models_legend(models, ranking)
        yield from _chart(title, {model: exhibits for model, exhibits in named.items() if exhibits}, legend)


def _curves_of(results: TaskResults, model: Model, seeds: int) -> list[Exhibit]:
    """Curves of the model's fastest run. Raises StoreError."""
    return [
        one
        for record in model.fastest.records[:seeds]
        for one in results.exhibits(record)
        if one.kind == "curve"
    ]


def _chart(title: str, exhibits: dict[str, list[Exhibit]], legend: Legend) -> Iterator[Block]:
    first = next(iter(exhibits.values()))[0]
    x, y = (next(iter(first.lines.get(axis, [])), axis) for axis in ("x", "y"))
    curves = {}
    for model, seeds in exhibits.items():
        for line in dict.fromkeys(name for one in seeds for name in one.tables):
            points = [np.array(one.tables[line], np.float64) for one in seeds if one.tables.get(line)]
            drawn = [
                (table[:, 0], table[:, 1]) for table in points if table.ndim == 2 and table.shape[1] == 2
            ]
            if drawn:
                curves[model if len(first.tables) == 1 else f"{model}, {line}"] = curve_over_seeds(drawn)
    if len(first.tables) > 1:
        legend = plain_legend("model", list(curves))
    drawing = curves_chart(title, curves, x, y, False, legend)
    if drawing is not None:
        yield drawing
        for note in first.lines.get("note", []):
            yield Paragraph(note)
        yield _table(title, curves, x, y)


def _table(title: str, curves: dict[str, Curve], x: str, y: str) -> Table:
    """Points of every curve at a few x that they share."""
    shared = sorted(set.intersection(*(set(curve.x.tolist()) for curve in curves.values())))
    at = [shared[place] for place in _spread(len(shared))]
    rows: list[list[Value | TableCell]] = [
        [name, *(TableCell(float(curve.mean[curve.x.tolist().index(value)])) for value in at)]
        for name, curve in curves.items()
    ]
    columns = (Column("model"), *(Column(f"{x} = {format_number(value)}", "number") for value in at))
    return Table(f"{title}: {y} at some of the points", columns, rows)


def _spread(count: int) -> Sequence[int]:
    """Up to MOST_POINTS_IN_TABLE places of `count`, the first and the last included."""
    places = np.linspace(0, count - 1, min(count, MOST_POINTS_IN_TABLE)).round().astype(int)
    return sorted(set(places.tolist()))
