"""Curves of the test split: one chart for all models of a task, in the site and in documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.blocks import charts, section, tables, text
from fixtures.records import record

from benchsuite.contracts.report import Block
from benchsuite.report import write_report
from benchsuite.report.data import collect
from benchsuite.report.pages.task import task_page
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Exhibit, Record
from benchsuite.schema.record import Status

TITLE = "accuracy by length"


def curve(end: float, length: int = 20, name: str = TITLE, **more: float) -> Exhibit:
    """Accuracy that falls from 1 to `end`; `more` are further lines."""
    falls = {"accuracy": end} | more
    return Exhibit(
        name=name,
        kind="curve",
        lines={"x": ["letters"], "y": ["share"]},
        tables={
            line: [[step + 1.0, 1.0 + (last - 1.0) * step / (length - 1)] for step in range(length)]
            for line, last in falls.items()
        },
    )


def with_curves(value: float, *exhibits: Exhibit, **fields: Any) -> Record:
    return record(value, **fields).model_copy(update={"exhibits": list(exhibits)})


def stored(folder: Path, *records: Record) -> StoredStudy:
    store = StudyStore(folder)
    with store.writing():
        for one in records:
            store.append(one)
    return StoredStudy.load(folder)


def blocks_of(study: StoredStudy) -> list[Block]:
    data = collect([study])
    return list(section(task_page(data.tasks[0], data), "Curves of the test split"))


def test_all_models_are_in_one_chart_with_the_mean_over_seeds(tmp_path: Path) -> None:
    study = stored(
        tmp_path,
        with_curves(0.9, curve(1.0), cell="lstm"),
        with_curves(0.7, curve(0.4), cell="gru"),
        with_curves(0.7, curve(0.6), cell="gru", seed=1),
    )
    blocks = blocks_of(study)
    drawn = charts(blocks)[TITLE]
    assert drawn.table is not None
    rows = {(row[0], row[1]): row[2:] for row in drawn.table.rows}
    assert len(rows) == 40
    assert rows["lstm plain", 20.0][0] == 1.0
    mean, low, high, seeds = rows["gru plain", 20.0]
    assert (mean, low, high, seeds) == (pytest.approx(0.5), pytest.approx(0.4), pytest.approx(0.6), 2)
    shown = tables(blocks)[f"{TITLE}: share at some of the points"]
    assert [row["model"] for row in shown] == ["lstm plain", "gru plain"]
    assert list(shown[1])[1:] == [f"letters = {at}" for at in (1, 4, 6, 9, 12, 15, 17, 20)]
    assert shown[1]["letters = 20"] == pytest.approx(0.5)


def test_what_a_task_says_of_its_curve_stands_below_the_chart_once(tmp_path: Path) -> None:
    known = curve(1.0)
    known = known.model_copy(update={"lines": {**known.lines, "note": ["What is known."]}})
    study = stored(tmp_path, with_curves(0.9, known, cell="lstm"), with_curves(0.7, known, cell="gru"))
    assert text(blocks_of(study)) == "What is known."


def test_several_lines_and_several_curves_are_told_apart(tmp_path: Path) -> None:
    study = stored(tmp_path, with_curves(0.9, curve(0.5, first=0.2), curve(0.1, name="other")))
    blocks = blocks_of(study)
    assert set(charts(blocks)) == {TITLE, "other"}
    shown = tables(blocks)[f"{TITLE}: share at some of the points"]
    assert [row["model"] for row in shown] == ["lstm plain, accuracy", "lstm plain, first"]


def test_curves_of_different_lengths_share_the_points_of_the_table(tmp_path: Path) -> None:
    study = stored(
        tmp_path, with_curves(0.9, curve(1.0, 20), cell="lstm"), with_curves(0.7, curve(0.4, 5), cell="gru")
    )
    (shown,) = tables(blocks_of(study)).values()
    assert list(shown[0])[1:] == [f"letters = {at}" for at in range(1, 6)]


def test_a_task_without_curves_has_no_such_section_and_other_exhibits_stay(tmp_path: Path) -> None:
    other = Exhibit(name="t", kind="text", lines={"source": ["a"]})
    data = collect([stored(tmp_path, with_curves(0.9, other))])
    titles = [one.title for one in task_page(data.tasks[0], data).sections]
    assert "What it produces" in titles
    assert "Curves of the test split" not in titles


def test_a_curve_is_not_shown_a_second_time_among_what_the_best_model_produces(tmp_path: Path) -> None:
    data = collect([stored(tmp_path, with_curves(0.9, curve(1.0)))])
    assert "What it produces" not in [one.title for one in task_page(data.tasks[0], data).sections]


def test_curves_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    study = stored(tmp_path, with_curves(0.9, curve(1.0)))
    (path,) = (tmp_path / "exhibits").iterdir()
    path.write_text("[")
    assert "Curves cannot be read" in text(blocks_of(study))


@pytest.mark.parametrize("points", [[], [[1.0]], [[1.0, float("inf")]], [[1.0, 2.0], [3.0, 4.0]]])
def test_any_points_are_shown_or_left_out(tmp_path: Path, points: list[list[float]]) -> None:
    odd = Exhibit.model_construct(name="odd", kind="curve", lines={}, tables={"a": points})
    data = collect([stored(tmp_path, with_curves(0.9, odd))])
    task_page(data.tasks[0], data)


def test_a_model_whose_trials_failed_has_no_curve(tmp_path: Path) -> None:
    failed = record(None, Status.FAILED, cell="gru")
    study = stored(tmp_path, with_curves(0.9, curve(1.0)), failed)
    (shown,) = tables(blocks_of(study)).values()
    assert [row["model"] for row in shown] == ["lstm plain"]


@pytest.mark.parametrize("form", ["html", "markdown", "latex"])
def test_every_format_has_the_points_of_the_curve(tmp_path: Path, form: str) -> None:
    study = stored(
        tmp_path / "s", with_curves(0.9, curve(0.5), cell="lstm"), with_curves(0.7, curve(0.25), cell="gru")
    )
    write_report([study], tmp_path / "out", [form])
    endings = {"html": ".html", "markdown": ".md", "latex": ".tex"}
    files = (tmp_path / "out").rglob(f"*{endings[form]}")
    found = "".join(path.read_text(encoding="utf-8") for path in files)
    assert "accuracy by length: share at some of the points" in found
    assert "letters = 20" in found
