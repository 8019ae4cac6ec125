"""`benchsuite plan`, and what a dry run does not do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.command import call

from benchsuite.schema import Record

TINY = ["--backend", "numpy", "--tracking-uri", "none"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A results folder with the study `smoke`, run by the command line on the NumPy backend."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHSUITE_RESULTS", str(folder))
        first = call("run", "smoke", *TINY)
        (folder / "first.txt").write_text(first.stdout, encoding="utf-8")
        yield folder


def test_plan_tells_fresh_from_new(results: Path) -> None:
    items = json.loads(call("plan", "smoke", "--backend", "numpy", "--set", "seed=0,1", "--json").stdout)
    assert [(item["action"], item["reason"]) for item in items] == [("fresh", "recorded"), ("run", "new")]
    assert items[1]["seconds"] == pytest.approx(items[0]["seconds"])
    assert items[0]["id"] in {record.trial_id for record in records(results)}
    text = call("plan", "smoke", "--backend", "numpy", "--set", "seed=1").stdout
    assert "study smoke: 1 trial to run, about" in text


@pytest.mark.usefixtures("results")
def test_trials_that_differ_in_one_field_have_labels_of_their_own() -> None:
    asked = ("plan", "smoke", "--backend", "numpy", "--set", "recipe.epochs=1,2,3", "--name", "three")
    items = json.loads(call(*asked, "--json").stdout)
    assert [item["label"].rpartition(" ")[2] for item in items] == ["epochs=1", "epochs=2", "epochs=3"]
    text = call(*asked).stdout
    assert all(f"epochs={epochs}" in text for epochs in (1, 2, 3))


def test_dry_run_runs_nothing(results: Path) -> None:
    result = call("run", "smoke", "--backend", "numpy", "--name", "dry", "--dry-run")
    assert "study dry: 1 trial to run" in result.stdout
    assert "the time is known from:\n  records of the configuration (1 trial)" in result.stdout
    assert not (results / "dry").exists()


def test_the_time_is_unknown_where_nothing_was_recorded(tmp_path: Path) -> None:
    result = call("plan", "smoke", "--backend", "numpy", "--results", str(tmp_path))
    assert "estimated time: unknown" in result.stdout


def records(results: Path) -> list[Record]:
    lines = (results / "smoke" / "records.jsonl").read_text("utf-8").splitlines()
    return [Record.model_validate_json(line) for line in lines]
