"""Exhibits of every kind as charts."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.errors import RequestError
from benchsuite.report.exhibit_charts import exhibit_chart
from benchsuite.schema import Exhibit

TEXT = {"source": ["a", "b"], "prediction": ["x"], "target": ["x"]}
EXHIBITS = {
    "text": Exhibit(name="row 3", kind="text", lines=TEXT, tables={"alignment": [[0.25, 0.75]]}),
    "forecast": Exhibit(
        name="row 1", kind="forecast", tables={"input": [[1.0], [2.0]], "truth": [[3.0]], "prediction": [[4.0]]}
    ),
    "confusion": Exhibit(
        name="confusion", kind="confusion", lines={"classes": ["no", "yes"]},
        tables={"counts": [[2, 1], [0, 3]]}
    ),
    "picture": Exhibit(name="frames", kind="picture", tables={"truth": [[0.0, 1.0]], "made": [[0.5, 0.5]]}),
    "curve": Exhibit(
        name="accuracy by length", kind="curve", lines={"x": ["length"], "y": ["accuracy"]},
        tables={"lstm": [[1, 0.5], [2, 0.75]]},
    ),
}  # fmt: skip
"""One of every kind."""


def drawn(exhibit: Exhibit, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in fields) for row in exhibit_chart(exhibit).spec["datasets"]["rows"]]


@pytest.mark.parametrize("kind", EXHIBITS)
def test_the_chart_has_the_exhibit_s_name(kind: str) -> None:
    title = exhibit_chart(EXHIBITS[kind]).title
    assert title == {"text": "Attention, row 3"}.get(kind, EXHIBITS[kind].name)


def test_attention_has_the_tokens_on_its_axes() -> None:
    assert drawn(EXHIBITS["text"], "x", "y", "value") == [(0, 0, 0.25), (1, 0, 0.75)]
    encoding = exhibit_chart(EXHIBITS["text"]).spec["encoding"]
    assert "'a'" in encoding["x"]["axis"]["labelExpr"]
    assert "'x'" in encoding["y"]["axis"]["labelExpr"]


def test_a_forecast_goes_on_where_its_input_ends() -> None:
    assert drawn(EXHIBITS["forecast"], "line", "x", "y") == [
        ("input", -1, 1), ("input", 0, 2), ("truth", 1, 3), ("forecast", 1, 4),
    ]  # fmt: skip


def test_a_curve_keeps_its_points_and_the_names_of_its_axes() -> None:
    assert drawn(EXHIBITS["curve"], "line", "x", "y") == [("lstm", 1, 0.5), ("lstm", 2, 0.75)]
    assert exhibit_chart(EXHIBITS["curve"]).spec["encoding"]["x"]["title"] == "length"


def test_a_text_without_attention_is_refused() -> None:
    with pytest.raises(RequestError, match="'row 0' has no attention to draw"):
        exhibit_chart(Exhibit(name="row 0", kind="text", lines=TEXT))
