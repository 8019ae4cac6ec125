"""Pictures of charts: drawn by a process that may die without taking the report along."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from benchsuite.contracts.report import Chart
from benchsuite.report.pictures import PICTURE_WIDTH, Pictures, static
from benchsuite.report.text import LONGEST_TEXT, clean, presentable

SPEC: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.1.0.json",
    "width": "container",
    "mark": "point",
    "data": {"values": [{"x": 1, "y": 2, "name": "a"}, {"x": 2, "y": float("nan"), "name": "b"}]},
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"},
                 "color": {"field": "name", "type": "nominal"}},
}  # fmt: skip


def named(text: str) -> Chart:
    """A chart whose every text is `text`."""
    values = [{"x": 1, "y": 2, "name": text}]
    axis = {"field": "x", "type": "quantitative", "title": text[:200]}
    return Chart(
        text, {**SPEC, "data": {"values": values}, "encoding": {**SPEC["encoding"], "x": axis}}, text
    )


def test_a_chart_becomes_an_svg_and_a_png(tmp_path: Path) -> None:
    with Pictures(tmp_path) as pictures:
        made = pictures.draw(Chart("a", SPEC, "points"), "charts/a").result()
    assert made == {"SVG": "charts/a.svg", "PNG": "charts/a.png"}
    assert "<svg" in (tmp_path / "charts" / "a.svg").read_text("utf-8")
    assert (tmp_path / "charts" / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "text", ["</svg><script>", "a\x1b[31m\x00b", "\ud83d half", "x" * 10_000, "😀 \u202e"]
)
def test_hostile_texts_are_drawn(text: str, tmp_path: Path) -> None:
    with Pictures(tmp_path) as pictures:
        assert pictures.draw(named(text), "evil").result()
        assert not pictures.problems
    assert "<script" not in (tmp_path / "evil.svg").read_text("utf-8")
    assert (tmp_path / "evil.png").stat().st_size < 2**20


def test_what_cannot_be_drawn_is_named_and_the_next_one_is_drawn(tmp_path: Path) -> None:
    with Pictures(tmp_path) as pictures:
        assert pictures.draw(Chart("bad", {"mark": 3}, "nothing"), "bad").result() == {}
        assert pictures.draw(Chart("good", SPEC, "points"), "good").result()
        assert list(pictures.problems) == ["bad"]
    assert not (tmp_path / "bad.svg").exists()


def test_a_process_that_dies_is_replaced(tmp_path: Path) -> None:
    with Pictures(tmp_path) as pictures:
        assert pictures.draw(Chart("first", SPEC, "points"), "first").result()
        assert pictures._process is not None
        os.kill(pictures._process.pid, signal.SIGKILL)
        assert pictures.draw(Chart("second", SPEC, "points"), "second").result() == {}
        assert pictures.problems == {"second": "the drawing library gave up on it"}
        assert pictures.draw(Chart("third", SPEC, "points"), "third").result()


def test_no_data_is_fetched(tmp_path: Path) -> None:
    spec = {**SPEC, "data": {"url": (tmp_path / "secret.json").as_uri()}}
    (tmp_path / "secret.json").write_text('[{"x": 1, "y": 1, "name": "secret"}]')
    with Pictures(tmp_path) as pictures:
        pictures.draw(Chart("c", spec, "points"), "c").result()
    found = tmp_path / "c.svg"
    assert not found.exists() or "secret" not in found.read_text("utf-8")


def test_a_picture_has_a_width_of_its_own_and_no_number_that_json_has_no_word_for() -> None:
    made = static(SPEC)
    assert made["width"] == PICTURE_WIDTH
    assert made["data"]["values"][1]["y"] is None
    assert SPEC["width"] == "container"


def test_texts_of_data_are_cut_and_those_of_the_chart_are_not() -> None:
    long = "x" * 500
    made = presentable({"title": long, "data": {"values": [{"a": long}]}})
    assert made["title"] == long
    assert len(made["data"]["values"][0]["a"]) == LONGEST_TEXT + 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain ü 日本 😀", "plain ü 日本 😀"),
        ("a\x00b", "a�b"),
        ("a\nb\tc", "a\nb\tc"),
        ("\ud83d", "�"),
        ("\r", "�"),
    ],
)
def test_a_clean_text_can_be_written_anywhere(text: str, kept: str) -> None:
    assert clean(text) == kept
    assert clean(text).encode("utf-8")
