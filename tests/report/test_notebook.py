"""Charts of a report by name, and as SVG."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.records import record

from benchsuite.contracts.report import Chart
from benchsuite.errors import RequestError
from benchsuite.report.array_charts import line_chart, picture_chart
from benchsuite.report.notebook import study_charts, svg
from benchsuite.report.write import write_report
from benchsuite.running.study import StoredStudy


def study(folder: Path) -> StoredStudy:
    trained = {"speed/step_median_seconds": 0.01, "speed/step_cpu_seconds": 0.01, "train/seconds": 2.0}
    records = [
        record(0.9 - seed / 10, cell=cell, seed=seed, scalars=trained)
        for cell in ("lstm", "gru")
        for seed in (0, 1)
    ]
    return StoredStudy("mine", folder, records)


def test_charts_are_those_of_the_site_by_page_and_title(tmp_path: Path) -> None:
    found = study_charts(study(tmp_path))
    assert found
    assert all(isinstance(one, Chart) for one in found.values())
    write_report([study(tmp_path)], tmp_path / "site", ["html"])
    assert len(list((tmp_path / "site" / "charts").glob("*.svg"))) == len(found)
    assert "digits / tiny: Each run: model and backend" in found
    assert found["digits / tiny: Each run: model and backend"].title == "Each run: model and backend"


def test_no_study_is_refused() -> None:
    with pytest.raises(RequestError, match="at least one study"):
        study_charts()


def test_a_chart_becomes_an_svg_with_its_title(tmp_path: Path) -> None:
    made = svg(line_chart("A title & more", {"a": [1.0, 2.0]}), width=300)
    assert made.text.startswith("<svg")
    assert "A title &amp; more" in made.text
    assert made._repr_mimebundle_()["image/svg+xml"] == made.text
    assert made.alt in made._repr_mimebundle_()["text/plain"]
    assert made.save(tmp_path / "new" / "a.svg").read_text(encoding="utf-8") == made.text


def test_the_width_is_of_charts_that_leave_it_open() -> None:
    line, picture = line_chart("l", {"a": [1.0, 2.0]}), picture_chart("p", {"a": [[1.0, 2.0]]})
    assert svg(line, width=200).text != svg(line, width=300).text
    assert svg(picture, width=200).text == svg(picture, width=300).text


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(RequestError, match="there is no picture of the chart"):
        svg(Chart("broken", {"mark": "no such mark"}, ""))
