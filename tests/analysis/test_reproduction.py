"""A trial that runs again is held to its record: bits, tolerances, and what changed around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.records import record
from typer.testing import CliRunner

from benchsuite.analysis.reproduction import Likeness, ReproducedFigure, Reproduction, compare_records
from benchsuite.cli.app import app
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy, run
from benchsuite.schema import Record, Series, Status

CURVE = Series(name="train/loss", axis="step", x=[1.0, 2.0, 3.0], y=[2.0, 1.0, 0.5])
FACTS = {
    "data.sha256": "d" * 64,
    "hardware.cpu": "one",
    "python.distributions": "numpy==2.4.6, torch==2.13.0",
    "backend.compile_seconds": "1.0",
}


def recorded(**changes: object) -> Record:
    one = record(0.9, scalars={"train/loss_final": 0.5, "train/seconds": 3.0})
    return one.model_copy(update={"series": [CURVE], "environment": FACTS} | changes)


def found(again: Record) -> Reproduction:
    return compare_records(recorded(), [CURVE], again)


def figure(reproduction: Reproduction, name: str) -> ReproducedFigure:
    return next(one for one in reproduction.figures if one.name == name)


def test_equal_bits_are_equal_and_clocks_are_held_to_nothing() -> None:
    again = recorded()
    again = again.model_copy(
        update={
            "scalars": again.scalars | {"train/seconds": 9.0, "speed/sequences_per_second": 1.0},
            "environment": FACTS | {"backend.compile_seconds": "7.5"},
        }
    )
    held = found(again)
    assert held.likeness is Likeness.EQUAL
    assert not held.changes
    assert figure(held, "train/seconds").likeness is Likeness.MEASURED
    assert figure(held, "speed/sequences_per_second").likeness is Likeness.MEASURED


@pytest.mark.parametrize(
    ("by", "likeness"),
    [(1e-6, Likeness.WITHIN), (1e-3, Likeness.DIFFERENT), (float("nan"), Likeness.DIFFERENT)],
)
def test_a_curve_is_held_within_the_tolerance_of_its_precision(by: float, likeness: Likeness) -> None:
    moved = CURVE.model_copy(update={"y": [2.0, 1.0 + by, 0.5]})
    held = found(recorded(series=[moved]))
    assert held.likeness is likeness
    assert figure(held, "train/loss").likeness is likeness


def test_a_figure_that_is_missing_is_different() -> None:
    scalars = {name: value for name, value in recorded().scalars.items() if name != "test/accuracy"}
    held = found(recorded(scalars=scalars))
    assert figure(held, "test/accuracy").likeness is Likeness.DIFFERENT


@pytest.mark.parametrize(
    ("fact", "value", "change"),
    [
        ("data.sha256", "e" * 64, ("data.sha256", "d" * 64, "e" * 64)),
        ("hardware.cpu", "two", ("hardware.cpu", "one", "two")),
        ("python.distributions", "numpy==2.5.0, torch==2.13.0", ("version of numpy", "2.4.6", "2.5.0")),
    ],
)
def test_what_changed_around_the_trial_is_named(fact: str, value: str, change: tuple[str, str, str]) -> None:
    held = found(recorded(environment=FACTS | {fact: value}))
    assert held.changes == {change[0]: change[1:]}
    assert held.data_changed is (fact == "data.sha256")


def test_a_trial_that_fails_now_is_different_and_its_reason_is_named() -> None:
    failed = Record(trial=recorded().trial, status=Status.FAILED, reason="no such file")
    held = found(failed)
    assert held.likeness is Likeness.DIFFERENT
    assert held.changes == {"status": ("ok", "failed: no such file")}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StoredStudy:
    """One tiny trial in NumPy, really run."""
    tables = {
        "name": "tiny",
        "axes": {
            "task": "mnist_rows",
            "source": "digits",
            "cell": "gru",
            "architecture": "plain",
            "backend": "numpy",
        },
        "defaults": {
            "size": {"hidden": 4},
            "recipe": {"epochs": 1, "limit": 48, "batch_size": 16},
            "protocol": {"rounds": 2, "round_seconds": 0.002, "warmup_seconds": 0.01},
        },
    }
    return run(tables, results=tmp_path_factory.mktemp("results"), tracking_uri="none")


def reproduce(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["reproduce", str(folder)])
    return done.exit_code, done.output


def test_a_trial_of_a_study_runs_again_to_the_same_bits(study: StoredStudy) -> None:
    code, said = reproduce(study.folder)
    assert code == 0, said
    assert "bit-equal" in said
    assert "1 trials run again: 1 bit-equal" in said


def test_another_seed_in_the_journal_is_found_out(study: StoredStudy, tmp_path: Path) -> None:
    """A record whose trial is not the one that gave its figures."""
    store = StudyStore(tmp_path / "planted")
    one = study.records[0]
    with store.writing():
        store.describe({})
        planted = one.model_copy(update={"trial": one.trial.model_copy(update={"seed": 7})})
        store.append(planted.model_copy(update={"series": study.series(one.trial_id)}))
    code, said = reproduce(store.folder)
    assert code == 1
    assert "1 different" in said


def test_other_data_and_other_versions_are_found_out(study: StoredStudy, tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "planted")
    one = study.records[0]
    versions = one.environment["python.distributions"].replace("numpy==", "numpy==0.")
    facts = one.environment | {"data.sha256": "0" * 64, "python.distributions": versions}
    with store.writing():
        store.describe({})
        store.append(one.model_copy(update={"environment": facts, "series": study.series(one.trial_id)}))
    _, said = reproduce(store.folder)
    assert "THE DATA DIFFER" in said
    assert "version of numpy: 0." in said


def test_a_study_without_a_ranked_trial_is_refused(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "empty")
    with store.writing():
        store.describe({})
        store.append(record(status=Status.FAILED, reason="nothing worked"))
    code, said = reproduce(store.folder)
    assert code == 2
    assert "holds no ranked trial" in said
