"""The page of published figures: own ones beside them, differences of protocol named, the too good flagged."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures import varied
from fixtures.blocks import charts, everything, tables, text, values

from benchsuite.report.data import collect
from benchsuite.report.pages.published import published_page
from benchsuite.report.site import Page
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = varied.study(tmp_path_factory.mktemp("studies") / "varied")
    found = published_page(collect([StoredStudy.load(folder)]))
    assert found is not None
    return found


def test_own_figures_stand_beside_the_published_one(page: Page) -> None:
    rows = tables(everything(page))["Published and own figures"]
    assert [row["epochs"] for row in rows] == [100, 8]
    for row in rows:
        assert row["published accuracy ↑"] == "0.974 to 0.981"
        assert row["here accuracy ↑"] == pytest.approx(0.975, abs=0.004)
        assert row["verdict"] == "agrees"
        assert row["seeds"] == 3


def test_differences_of_protocol_are_named(page: Page) -> None:
    said = text(everything(page))
    assert "learning rate 0.01 (published: 0.001)" in said
    assert "epochs 8 (published: 100)" in said
    assert "batch size" not in said


def test_what_got_there_too_soon_is_flagged(page: Page) -> None:
    said = text(everything(page))
    assert "2. rnn plain, torch dynamic: reached after the first epoch; published: within 100 epochs." in said
    assert "1. rnn plain, torch dynamic: reached" not in said
    assert "1 configuration did better than published, or got there sooner" in said


def test_the_chart_shows_both_with_what_agrees(page: Page) -> None:
    (chart,) = charts(everything(page)).values()
    for row in values(chart):
        assert row["low"] == pytest.approx(0.971)
        assert row["high"] == pytest.approx(0.984)
        assert row["from"] < row["own"] < row["to"]


def test_sources_are_cited_and_what_is_missing_is_listed(page: Page) -> None:
    assert "O'Reilly 2017" in text(everything(page))
    missing = tables(everything(page))["Published figures without a configuration here"]
    assert len(missing) == 27
    assert "benchsuite run paper" in text(everything(page))


def test_a_study_without_such_a_configuration_has_no_such_page(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({"matrix": {}, "environment": {}})
        store.append(varied.record(varied.trial(), 0))
    assert published_page(collect([StoredStudy.load(tmp_path / "s")])) is None
