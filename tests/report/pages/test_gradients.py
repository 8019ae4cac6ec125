"""The page on gradients: curves, half-lives and verdicts; what clipping and truncation change."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from fixtures import varied
from fixtures.blocks import charts, everything, section, tables, text, values

from benchsuite.report.data import collect
from benchsuite.report.pages.gradients import gradients_page
from benchsuite.report.site import Page
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy

TITLE = "adding / generated length=100"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = varied.study(tmp_path_factory.mktemp("studies") / "varied")
    found = gradients_page(collect([StoredStudy.load(folder)]))
    assert found is not None
    return found


def test_cells_stand_side_by_side_before_and_after_training(page: Page) -> None:
    blocks = section(page, TITLE)
    drawn = charts(blocks)
    assert {"Before training", "After training"} <= set(drawn)
    rows = values(drawn["After training"])
    assert {row["cell"] for row in rows} == {"rnn", "lstm", "gru"}
    at_50 = {row["cell"]: row["left"] for row in rows if row["lag"] == 50}
    assert at_50["lstm"] == pytest.approx(math.exp(-0.03 * 50), rel=1e-3)
    assert "99 steps back, this share of the gradient is left" in text(blocks)


def test_the_heat_map_has_no_gap_and_ends_with_the_last_step(page: Page) -> None:
    chart = charts(section(page, TITLE))["The same as a picture"]
    rows = [row for row in values(chart) if row["row"] == "lstm, before training"]
    for one, after in pairwise(rows):
        assert one["to"] == after["lag"]
    assert rows[-1]["to"] == 100


def test_only_what_can_be_compared_is_drawn(page: Page) -> None:
    """The published configuration was run with one cell: its half-life is in the table alone."""
    assert not any("mnist" in part.title for part in page.sections)
    rows = tables(section(page, "Half-life"))["Half-life of the gradient, before and after training"]
    assert any("mnist" in row["task"] for row in rows)
    gru = next(row for row in rows if row["model"].startswith("gru"))
    assert gru["half-life after"] == math.inf
    assert gru["half-life before"] == pytest.approx(math.log(2) / 0.05)


def test_verdicts_are_counted_by_cell_before_and_after_training(page: Page) -> None:
    found = tables(section(page, "Vanishing or exploding"))["Trials by verdict"]
    rows = {(row["cell"], row["when"]): row for row in found}
    for when in ("before training", "after training"):
        assert rows["rnn", when]["vanishing"] > 0
        assert rows["rnn", when]["stable"] == 0
        assert rows["lstm", when]["truncated"] == 2


def test_clipping_is_shown_with_what_diverged_without_it(page: Page) -> None:
    rows = tables(section(page, "What clipping changes"))["Clipping"]
    by_kind = {row["clipping"]: row for row in rows}
    assert by_kind["none"]["diverged"] == 1
    assert by_kind["norm at 1"]["diverged"] == 0
    assert by_kind["norm at 1"]["clipped steps"] == pytest.approx(0.4)
    assert any("norm" in title.lower() for title in charts(section(page, "What clipping changes")))


def test_truncation_is_shown_beside_the_whole(page: Page) -> None:
    blocks = section(page, "What truncation changes")
    rows = tables(blocks)["Truncation"]
    assert [row["truncated at"] for row in rows] == ["5 steps", "20 steps", "full"]
    (chart,) = charts(blocks).values()
    lines: dict[str, float] = {}
    for row in values(chart):
        lines[row["line"]] = max(lines.get(row["line"], 0), row["x"])
    assert lines == {"5 steps": 4, "20 steps": 19, "full": 99}


def test_the_page_explains_what_is_seen(page: Page) -> None:
    said = text(section(page, "What is seen here"))
    for word in ("chain rule", "forget gate", "update gate", "half-life"):
        assert word in said


def test_what_a_study_does_not_vary_is_told_with_the_command_that_would(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({"matrix": {}, "environment": {}})
        store.append(varied.record(varied.trial(), 0))
    page = gradients_page(collect([StoredStudy.load(tmp_path / "s")]))
    assert page is not None
    said = text(everything(page))
    assert "No trial of these studies has curves" in said
    assert "--set recipe.clip=none,norm" in said
    assert "--set recipe.truncation=none,5,10" in said
