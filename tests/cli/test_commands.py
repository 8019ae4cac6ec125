"""Commands as a user types them: what they print, and what they end with."""

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


def test_run_prints_a_line_a_trial_and_the_table(results: Path) -> None:
    text = (results / "first.txt").read_text("utf-8")
    assert text.startswith("study smoke: 1 trial to run\n[1/1] ok        mnist_rows/digits lstm plain numpy")
    assert (
        "training, sequences per second once it runs, by CPU time · seconds from the start to trained" in text
    )
    assert f"study: {results / 'smoke'} (1 records)" in text


def test_a_second_run_does_nothing_and_prints_the_table_again(results: Path) -> None:
    before = (results / "smoke" / "records.jsonl").read_bytes()
    result = call("run", "smoke", *TINY)
    assert "study smoke: 0 trials to run, 1 recorded already" in result.stdout
    assert "lstm plain" in result.stdout
    assert (results / "smoke" / "records.jsonl").read_bytes() == before


def records(results: Path) -> list[Record]:
    lines = (results / "smoke" / "records.jsonl").read_text("utf-8").splitlines()
    return [Record.model_validate_json(line) for line in lines]


def test_show_a_study_its_trials_and_one_trial(results: Path) -> None:
    [record] = records(results)
    assert "lstm plain" in call("show", "smoke").stdout
    assert record.trial_id in call("show", "smoke", "--trials").stdout
    text = call("show", "smoke", record.trial_id[:5]).stdout
    for word in (
        record.trial.label,
        "recipe.epochs",
        "speed/sequences_per_second",
        "points by epoch",
        "hardware.cores",
    ):
        assert word in text
    assert json.loads(call("show", "smoke", record.trial_id, "--json").stdout)["status"] == "ok"
    assert len(json.loads(call("show", str(results / "smoke"), "--json").stdout)) == 1


def test_show_names_what_is_not_there(results: Path) -> None:
    assert "unknown study 'smok'; did you mean 'smoke'?" in call("show", "smok", code=2).stderr
    assert "no trial of smoke begins with 'zz'" in call("show", "smoke", "zz", code=2).stderr
    assert "is not a study" in call("show", str(results), code=2).stderr
    (results / "mlartifacts").mkdir()
    assert "Known: smoke." in call("show", "other", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["list", "taks"], "did you mean 'tasks'"),
        (["run", "quik"], "unknown matrix 'quik'; did you mean 'quick'"),
        (["run", "none.toml"], "cannot read the matrix file none.toml"),
        (
            ["run", "smoke", "--backend", "nunpy"],
            "unknown backend of built-in matrix smoke 'nunpy'; did you mean 'numpy'",
        ),
        (["run", "smoke", "--task", "mnist_row"], "did you mean 'mnist_rows'"),
        (["run", "smoke", "--cell", "gru"], "--set FIELD=VALUE"),
        (
            ["run", "smoke", "--cell", "gru"],
            "smoke has no cell 'gru', which is installed. The same matrix with",
        ),
        (["plan", "smoke", "--cell", "gru"], "its trials alone: --set cell+=gru --cell gru"),
        (["run", "smoke", "--cell", ","], "--cell names nothing to keep"),
        (["run", "quick", "--cell", "lsmt"], "did you mean 'lstm'"),
        (["run", "quick", "--cell", "lstm", "--architecture", "cnn"], "has no trial that is all of"),
        (["run", "smoke", "--set", "options.vew=rows"], "unknown option 'vew'; did you mean 'view'"),
        (["run", "smoke", "--set", "recipe.epoch=1"], "did you mean 'epochs'"),
        (["run", "smoke", "--isolation", "process"], "unknown value of --isolation 'process'"),
        (["run", "smoke", "--rerun", "fail"], "did you mean 'failed'"),
        (["run", "smoke", "--executor", "locl"], "did you mean 'local'"),
        (["run", "smoke", "--name", "a/b", "--dry-run"], "cannot name a study"),
        (["run", "smoke", "--python", "torch"], "write BACKEND=INTERPRETER"),
        (["run", "smoke", "--python", "torhc=python"], "did you mean 'torch'"),
        (
            ["run", "smoke", "--python", "faraway=python"],
            "must be known in this one too: install its plugin here",
        ),
        (["plan", "smoke", "--python", "torch=/no/python"], "/no/python is no program that can be run"),
        (["data", "fetch", "minst_rows"], "did you mean 'mnist_rows'"),
        (["sync", "nothing", "--tracking-uri", "sqlite:///x.db"], "unknown study 'nothing'"),
    ],
)
def test_a_wrong_request_ends_with_two_and_names_the_way_out(
    results: Path, arguments: list[str], text: str
) -> None:
    del results
    result = call(*arguments, code=2)
    assert text in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["run", "--jobs", "x"], ["run", "--jobs", "0"], ["runn"], ["show"]])
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    call(*arguments, code=2)


def test_a_matrix_file_with_errors_lists_them_all(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[axes]\ncell = "lsmt"\nbackend = "nunpy"\n[[exclude]]\ntask = "x*"\n', encoding="utf-8")
    error = call("run", str(file), code=2).stderr
    assert f"error: {file}: " in error
    for line in ("axes.cell (line 2)", "axes.backend (line 3)", "exclude #1.task (line 5)"):
        assert line in error


def test_failed_trials_end_with_one(results: Path) -> None:
    """A trial that cannot finish in time is a record with its reason, and the command says so."""
    del results
    slow = ["--set", "recipe.limit=none", "--set", "recipe.epochs=1000", "--timeout", "2", "--name", "slow"]
    result = call("run", "smoke", *TINY, *slow, code=1)
    assert "timeout: 1" in result.stdout
    assert "lstm plain numpy" in result.stdout


def test_version() -> None:
    assert call("--version").stdout.startswith("benchsuite ")
