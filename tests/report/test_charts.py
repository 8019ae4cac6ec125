"""What charts share: legends whose names can be read."""

from __future__ import annotations

import pytest

from benchsuite.report.charts import CUT_NAME, LONG_NAME, colour


@pytest.mark.parametrize(
    ("names", "columns", "limit"),
    [
        (["a"], None, 110),
        (["a" * CUT_NAME, "b"], None, 110),
        (["a" * (CUT_NAME + 1), "b"], 2, 200),
        ([*"abcde"], 3, 110),
        (["a" * (LONG_NAME + 1), *"bcde"], 2, 200),
    ],
)
def test_a_legend_has_room_for_its_names(names: list[str], columns: int | None, limit: int) -> None:
    legend = colour("model", names, names).to_dict()["legend"]
    assert legend.get("columns") == columns
    assert legend["labelLimit"] == limit
