"""What charts share: legends whose names can be read, in pages and in pictures."""

from __future__ import annotations

import altair as alt
import pytest

from benchsuite.report.charts import (
    CUT_NAME,
    LONG_NAME,
    backend_legend,
    cell_legend,
    chart,
    named,
    plain_legend,
)
from benchsuite.report.looks import backend_look
from benchsuite.schema.names import NO_CELL


@pytest.mark.parametrize(
    ("names", "columns", "limit"),
    [
        (["a", "b"], None, 110),
        (["a" * CUT_NAME, "b"], None, 110),
        (["a" * (CUT_NAME + 1), "b"], 2, 200),
        ([*"abcde"], 3, 110),
        (["a" * (LONG_NAME + 1), *"bcde"], 2, 200),
    ],
)
def test_a_legend_has_room_for_its_names(names: list[str], columns: int | None, limit: int) -> None:
    legend = plain_legend("model", names).colour().to_dict()["legend"]
    assert legend.get("columns") == columns
    assert legend["labelLimit"] == limit


def test_a_legend_of_one_name_is_left_out() -> None:
    legend = backend_legend(["torch"])
    assert legend.colour().to_dict()["legend"] is None
    assert legend.entries == ()


def test_a_backend_looks_the_same_whoever_is_beside_it() -> None:
    for others in (["jax"], ["numpy", "mine", "tensorflow"]):
        legend = backend_legend([*others, "torch"], lines=True)
        entry = next(one for one in legend.entries if one.name == "torch")
        assert (entry.colour, entry.dash) == (backend_look("torch").colour, backend_look("torch").strokes)
        scale = legend.colour().to_dict()["scale"]
        assert scale["range"][scale["domain"].index("torch")] == backend_look("torch").light


def test_models_without_a_cell_are_said_to_have_no_recurrence() -> None:
    legend = cell_legend(["lstm", NO_CELL])
    assert legend.entries[-1].label == "no recurrence"
    assert "no recurrence" in legend.colour().to_dict()["legend"]["labelExpr"]


def test_a_chart_holds_its_legend_beside_its_specification() -> None:
    legend = cell_legend(["lstm", "gru"])
    drawn = alt.Chart(named()).mark_point().encode(x="x:Q", color=legend.colour(), shape=legend.shape())
    made = chart("t", drawn, [{"x": 1, "cell": "lstm"}, {"x": 2, "cell": "gru"}], "points", legend=legend)
    assert [entry.name for entry in made.legend] == ["lstm", "gru"]
    assert made.spec["encoding"]["color"]["legend"] is not None, "a picture has a legend of its own"
