"""An exhibit of a trial as a chart: for a notebook, a lecture or a paper, where the site's own page is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchsuite.contracts.report import Chart
from benchsuite.errors import RequestError
from benchsuite.report.array_charts import line_chart, picture_chart
from benchsuite.schema import Exhibit


def exhibit_chart(exhibit: Exhibit) -> Chart:
    """The exhibit's curve, forecast, confusion matrix or pictures, or the attention of a text.

    Raises RequestError where it holds nothing that can be drawn, such as a text without attention.
    """
    makers: dict[str, Callable[[Exhibit], Chart]] = {
        "text": _alignment,
        "forecast": _forecast,
        "confusion": _confusion,
        "picture": _pictures,
        "curve": _curve,
    }
    return makers[exhibit.kind](exhibit)


def _alignment(exhibit: Exhibit) -> Chart:
    weights = exhibit.tables.get("alignment")
    if not weights:
        raise RequestError(
            f"the text {exhibit.name!r} has no attention to draw: that of the architecture `attention` has"
        )
    return picture_chart(
        f"Attention, {exhibit.name}",
        {"attention": weights},
        "token that is read",
        "generated token",
        columns=exhibit.lines.get("source", []),
        rows=exhibit.lines.get("prediction", []),
    )


def _forecast(exhibit: Exhibit) -> Chart:
    """The first channel: what was read, up to step 0, what followed, and what was forecast."""
    lines = {}
    for table, name, before in (
        ("input", "input", True),
        ("truth", "truth", False),
        ("prediction", "forecast", False),
    ):
        values = np.array(exhibit.tables.get(table) or [], np.float64)
        if values.ndim == 2:
            steps = np.arange(len(values)) + (1 - len(values) if before else 1)
            lines[name] = np.stack([steps, values[:, 0]], axis=1)
    return line_chart(exhibit.name, lines, "steps ahead", "value")


def _confusion(exhibit: Exhibit) -> Chart:
    classes = exhibit.lines.get("classes", [])
    return picture_chart(
        exhibit.name, {"counts": exhibit.tables["counts"]}, "predicted class", "true class", classes, classes
    )


def _pictures(exhibit: Exhibit) -> Chart:
    return picture_chart(exhibit.name, exhibit.tables)


def _curve(exhibit: Exhibit) -> Chart:
    x, y = (next(iter(exhibit.lines.get(axis, [])), axis) for axis in ("x", "y"))
    return line_chart(exhibit.name, exhibit.tables, x, y)
