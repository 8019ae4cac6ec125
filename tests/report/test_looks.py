"""Looks: legible for everyone, the same on every page, and never told apart by a colour alone."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from fixtures.colour_vision import VISION, ciede2000, contrast, difference
from hypothesis import given
from hypothesis import strategies as st

import benchsuite.report.html
from benchsuite.report.looks import (
    BACKENDS,
    CELLS,
    DARK,
    DASHES,
    LIGHT,
    SHAPES,
    backend_look,
    cell_look,
    looks_of,
    model_looks,
    place_look,
)
from benchsuite.report.pictures import CONFIG

STYLE = (Path(benchsuite.report.html.__file__).parent / "assets" / "site.css").read_text("utf-8")
PAPER = {"light": "#fdfdfb", "dark": "#14171a"}
PALETTES = {"light": LIGHT, "dark": DARK}
TOLD_APART = 12.0
"""CIEDE2000 of two colours that are told apart at a glance, even in a line of two pixels."""


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    """Sharma, Wu and Dalal 2005, table 1."""
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", PALETTES)
def test_no_two_colours_look_alike_to_anyone(theme: str, vision: str) -> None:
    close = {
        pair: round(found, 1)
        for pair in itertools.combinations(PALETTES[theme], 2)
        if (found := difference(*pair, vision)) < TOLD_APART
    }
    assert not close


@pytest.mark.parametrize("theme", PALETTES)
def test_every_colour_is_seen_on_its_ground(theme: str) -> None:
    """WCAG 2.2, 1.4.11: graphical objects need 3 to 1."""
    assert f"--paper: {PAPER[theme]};" in STYLE
    assert min(contrast(colour, PAPER[theme]) for colour in PALETTES[theme]) >= 3


def test_the_pages_and_the_pictures_have_these_colours() -> None:
    for at, colour in enumerate(LIGHT):
        assert f"--light-c{at}: {colour};" in STYLE
        assert f"--c{at}: var(--light-c{at});" in STYLE
    for at, colour in enumerate(DARK):
        assert len(re.findall(rf"--c{at}: {colour};", STYLE)) == 2  # chosen, and the system's
    assert CONFIG["range"]["category"] == list(LIGHT)


def test_cells_and_backends_share_no_colour_and_have_a_shape_and_a_dash_each() -> None:
    looks = [cell_look(name) for name in CELLS] + [backend_look(name) for name in BACKENDS]
    assert len({look.colour for look in looks}) == len({look.shape for look in looks}) == len(looks) == 8
    for known in (looks[:4], looks[4:]):
        assert len({look.dash for look in known}) == 4


def test_64_places_differ_in_more_than_their_colour_or_their_shape() -> None:
    looks = [place_look(place) for place in range(64)]
    assert len(set(looks)) == 64
    assert len({(look.colour, look.shape) for look in looks}) == 64
    assert len(LIGHT) == len(DARK) == len(SHAPES) == len(DASHES) == 8


@given(st.lists(st.text(max_size=12), max_size=30))
def test_no_two_names_of_a_chart_look_alike_and_others_do_not_change_a_known_one(names: list[str]) -> None:
    found = looks_of([*BACKENDS, *names], backend_look)
    assert list(found) == list(dict.fromkeys([*BACKENDS, *names]))
    assert len(set(found.values())) == len(found)
    assert all(found[name] == backend_look(name) for name in BACKENDS)


def test_a_model_has_its_cells_colour_and_models_of_one_cell_have_dashes_of_their_own() -> None:
    models = [("lstm plain", "lstm", "plain"), ("lstm deep", "lstm", "deep"), ("gru plain", "gru", "plain")]
    models += [(f"lstm plain hidden={size}", "lstm", "plain") for size in range(6)]
    found = model_looks(models)
    assert {found[name].colour for name, cell, _ in models if cell == "lstm"} == {cell_look("lstm").colour}
    assert len({found[name].dash for name, cell, _ in models if cell == "lstm"}) == 8
    assert found["gru plain"].strokes == (1, 0)
