"""Curves: every one of them inside its frame, spikes kept, impossible values left out."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts.report import Line, LineChart
from benchsuite.report.formatting import format_number
from benchsuite.report.html.drawing import DRAWING_HEIGHT, DRAWING_WIDTH, POINTS, draw, thinned, ticks

numbers = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30)


@given(numbers, st.booleans())
def test_any_values_are_drawn_inside_the_frame(y: list[float], log: bool) -> None:
    svg, legend = draw(LineChart("t", (Line("a", list(range(len(y))), y),), "x", "y", log))
    assert "nan" not in re.sub(r'aria-label="[^"]*"', "", svg).lower()
    points = re.findall(r'points="([^"]*)"', svg)
    for pair in " ".join(points).split():
        x, down = map(float, pair.split(","))
        assert -0.1 <= x <= DRAWING_WIDTH + 0.1
        assert -0.1 <= down <= DRAWING_HEIGHT + 0.1
    assert bool(points) == bool(legend)


@given(st.floats(-1e140, 1e140), st.sampled_from([0.0, 1e-20, 1.0]))
def test_points_at_one_place_or_close_to_it_are_drawn_inside_the_frame(x: float, apart: float) -> None:
    svg, _ = draw(LineChart("t", (Line("a", [x, x + apart], [1.0, 2.0]),), "x", "y"))
    for pair in " ".join(re.findall(r'points="([^"]*)"', svg)).split():
        assert -0.1 <= float(pair.split(",")[0]) <= DRAWING_WIDTH + 0.1


def test_a_line_shows_its_lowest_and_highest_point_however_long_it_is() -> None:
    y = np.sin(np.arange(100_000) / 5000)
    y[31_415], y[92_653] = 50.0, -50.0
    x, kept = thinned(np.arange(100_000.0), y)
    assert len(x) <= POINTS + 2
    assert {50.0, -50.0} <= set(kept.tolist())
    assert (x[0], x[-1]) == (0, 99_999)


def test_nothing_to_draw_is_said() -> None:
    svg, legend = draw(LineChart("t", (Line("a", [1.0], [math.nan]),), "x", "y"))
    assert "No finite value" in svg
    assert legend == []


def test_a_band_is_drawn_behind_its_line_and_texts_are_escaped() -> None:
    line = Line('<b>"a"', [0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [0.5, 1.0, 2.0], [2.0, 3.0, 4.0])
    svg, legend = draw(LineChart("<t>", (line,), "<x>", "<y>"))
    assert svg.index("polygon") < svg.index("polyline")
    assert "<b>" not in svg
    assert "<t>" not in svg
    assert legend == [('<b>"a"', 0)]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 7.9), (1e-9, 2e-9), (1e6, 3e7)])
def test_ticks_are_round_and_within(low: float, high: float) -> None:
    found = list(ticks(low, high, 4))
    assert 2 <= len(found) <= 8
    assert all(low - 1e-9 <= value <= high * (1 + 1e-9) for value in found)


@pytest.mark.parametrize("last", [8.0, 200.0, 20_000.0])
def test_the_last_label_below_a_drawing_is_not_cut(last: float) -> None:
    svg, _ = draw(LineChart("t", (Line("a", [0.0, last], [0.0, 1.0]),), "x", "y"))
    labels = re.findall(
        r'<text class="tick" x="([\d.]+)" y="\d+" text-anchor="(middle|end)">([^<]*)</text>', svg
    )
    below = [label for label in labels if label[2] == format_number(last)]
    assert below
    for at, anchor, text in below:
        wide = 5.3 * len(text)  # digits of 9.5 px
        assert float(at) + (wide / 2 if anchor == "middle" else 0) <= DRAWING_WIDTH + 1
