"""write_report: what it takes, what it refuses, and studies of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.pages import see
from fixtures.records import record

from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.report import FORMATS, write_report
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record, Status


def written(folder: Path, records: list[Record], *formats: str) -> Path:
    write_report([StoredStudy("mine", folder, records)], folder / "out", formats or ("html",))
    return folder / "out"


def test_no_study_and_no_such_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at least one study"):
        write_report([], tmp_path, ["html"])
    with pytest.raises(UnknownNameError, match="did you mean 'latex'"):
        written(tmp_path, [], "latx")


def test_a_study_without_a_record_has_a_report_that_says_so(tmp_path: Path) -> None:
    page = see(written(tmp_path, []) / "index.html")
    assert "No trial of mine is recorded." in page.text


def test_a_study_in_which_nothing_went_well_says_what_went_wrong(tmp_path: Path) -> None:
    records = [
        record(None, Status.FAILED, reason="out of memory"),
        record(None, Status.SKIPPED, reason="no such device", seed=1),
    ]
    page = see(written(tmp_path, records) / "index.html")
    assert "No result" in page.text
    assert "out of memory" in page.text
    assert "no such device" in page.text


def test_one_seed_is_said_plainly(tmp_path: Path) -> None:
    page = see(written(tmp_path, [record(0.9), record(0.8, cell="gru")]) / "index.html")
    assert "One seed: no interval and no test. Next is gru plain with 0.8." in page.text


def test_a_baseline_that_no_model_beats_is_a_caution(tmp_path: Path) -> None:
    good = record(0.9).model_copy(update={"baselines": {"majority": {"accuracy": 0.95}}})
    page = see(written(tmp_path, [good]) / "index.html")
    assert "It is no better than the baseline majority (accuracy 0.95), which has no recurrence." in page.text


def test_a_bound_is_no_baseline_to_be_beaten(tmp_path: Path) -> None:
    good = record(0.9).model_copy(update={"baselines": {"true_entropy": {"accuracy": 0.99}}})
    page = see(written(tmp_path, [good]) / "index.html")
    assert "no better than the baseline" not in page.text
    assert "true entropy (a bound)" in page.text


def test_a_speed_that_was_not_steady_is_said(tmp_path: Path) -> None:
    rough = record(0.9)
    rough = rough.model_copy(update={"verdicts": {**rough.verdicts, "speed": "unstable"}})
    page = see(written(tmp_path, [rough]) / "index.html")
    assert (
        "The timing of numpy is not steady: the rounds differ by more than 15 % of their median." in page.text
    )
    assert "about 1,200 sequences/s" in page.text


def test_every_format_is_written_side_by_side(tmp_path: Path) -> None:
    output = written(tmp_path, [record(0.9, seed=seed) for seed in range(3)], *FORMATS)
    names = {path.name for path in output.iterdir()}
    assert {"index.html", "report.md", "latex"} <= names
    again = written(tmp_path, [record(0.9)], "html")
    assert {"report.md", "latex"} <= {path.name for path in again.iterdir()}


@pytest.mark.parametrize("name", ["csv", "parquet", "json"])
def test_who_asks_for_the_records_themselves_is_told_the_command(name: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"benchsuite export STUDY --format {name}"):
        written(tmp_path, [record(0.9)], "html", name)
    assert not (tmp_path / "out").exists()


def test_settings_that_tell_models_apart_are_named(tmp_path: Path) -> None:
    records = [record(0.9), record(0.8, size={"hidden": 8}, recipe={"patience": 3})]
    page = see(written(tmp_path, records) / "index.html")
    assert "hidden=64 patience=none" in page.text
    assert "Next is lstm plain hidden=8 patience=3 with 0.8." in page.text
