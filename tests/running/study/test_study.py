"""Study as programs use it: frames, curves, the lazy names of the package."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.planted import planted, vanishing_at_the_start_alone
from fixtures.scripted import scripted_trial

import benchsuite
from benchsuite.errors import MatrixError, StoreError, UnknownNameError
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy, results_folder
from benchsuite.schema import INVALID_TIMING, Record, Series, Status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({})
        store.append(
            Record(
                trial=scripted_trial(depth=3),
                status=Status.OK,
                scalars={"test/accuracy": 0.5, "train/loss": math.nan},
                verdicts={"parity": "ok"},
                baselines={"naive": {"mse": 2.0}},
                kernel="scan",
                primary="accuracy",
                series=[Series(name="train/loss", axis="step", x=[1, 2], y=[3, 4])],
            )
        )
        store.append(Record(trial=scripted_trial(seed=1), status=Status.FAILED, reason="no"))
    return tmp_path / "s"


def test_a_frame_has_a_row_for_each_record_and_plain_columns(folder: Path) -> None:
    frame = StoredStudy.load(folder).frame()
    assert len(frame) == 2
    first = frame.iloc[0]
    expected = {
        "trial_id": scripted_trial(depth=3).id,
        "task": "scripted",
        "cell": "rnn",
        "hidden": 64,
        "device": "cpu",
        "optimiser": "adam",
        "option.depth": 3,
        "rounds": 12,
        "status": "ok",
        "ranked": True,
        "kernel": "scan",
        "verdict.parity": "ok",
        "test/accuracy": 0.5,
        "baseline.naive.mse": 2.0,
    }
    assert {name: first[name] for name in expected} == expected
    assert math.isnan(first["train/loss"])
    assert frame.set_index("seed").loc[1, "reason"] == "no"
    assert list(frame.columns) == list(dict.fromkeys(frame.columns))


def test_curves_by_trial(folder: Path) -> None:
    study = StoredStudy.load(str(folder))
    assert study.series(scripted_trial(depth=3).id)[0].y == [3.0, 4.0]
    assert study.series(scripted_trial(seed=1).id) == []
    with pytest.raises(StoreError, match="no study"):
        StoredStudy.load(folder / "none")


def test_an_empty_study_has_an_empty_frame(tmp_path: Path) -> None:
    with StudyStore(tmp_path / "s").writing():
        StudyStore(tmp_path / "s")
    (tmp_path / "s" / "records.jsonl").touch()
    assert StoredStudy.load(tmp_path / "s").frame().empty


def test_the_package_offers_run_and_study_without_loading_them() -> None:
    script = (
        "import sys, benchsuite\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'pydantic', 'benchsuite.running.study', 'benchsuite.api'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert callable(benchsuite.run) and benchsuite.Study.load\n"
        "assert not {'pandas', 'pyarrow', 'mlflow', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert issubclass(benchsuite.Study, StoredStudy)
    with pytest.raises(AttributeError, match="no attribute 'studdy'"):
        _ = benchsuite.studdy


def test_results_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCHSUITE_RESULTS", raising=False)
    assert results_folder() == tmp_path / "results"
    monkeypatch.setenv("BENCHSUITE_RESULTS", str(tmp_path / "elsewhere"))
    assert results_folder() == tmp_path / "elsewhere"
    assert results_folder("given") == tmp_path / "given"


def test_a_wrong_request_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="quick"):
        benchsuite.run("quik", results=tmp_path)
    with pytest.raises(MatrixError):
        benchsuite.run({"axes": {"cel": ["lstm"]}}, results=tmp_path)
    with pytest.raises(UnknownNameError, match="executor"):
        benchsuite.run("smoke", results=tmp_path, executor="locl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_frame_has_no_figure_of_a_refused_timing_and_says_why(word: str, tmp_path: Path) -> None:
    study = StoredStudy("s", tmp_path, [planted(timing=word), planted(cell="gru")])
    refused, valid = (row for _, row in study.frame().iterrows())
    assert math.isnan(refused["speed/sequences_per_second"])
    assert math.isnan(refused["speed/step_median_seconds"])
    assert refused["speed/import_seconds"] == valid["speed/import_seconds"]
    assert (refused["ranked"], refused["problem"]) == (True, word)
    assert refused["problem_reason"] == f"the timing is refused: {INVALID_TIMING[word]}"
    assert (valid["problem"], valid["problem_reason"], valid["unsteady"]) == ("", "", "")
    assert valid["speed/step_median_seconds"] == 0.002


def test_a_frame_has_the_verdict_of_each_snapshot_of_a_gradient(tmp_path: Path) -> None:
    frame = StoredStudy("s", tmp_path, vanishing_at_the_start_alone()).frame()
    assert frame.loc[0, "verdict.gradient_start"] == "vanishing"
    assert frame.loc[0, "verdict.gradient_end"] == "stable"
    assert "verdict.gradient" not in frame.columns
