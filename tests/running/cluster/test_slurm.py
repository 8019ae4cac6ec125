"""The executor `slurm` without Slurm: submitit's local mode, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.cluster_study import outlives
from fixtures.command import call

import benchsuite
from benchsuite.analysis.reproduction import Likeness, compare_records
from benchsuite.contracts import RunOptions
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.plugins import registry
from benchsuite.running.cluster.settings import ClusterSettings
from benchsuite.running.cluster.slurm import _state
from benchsuite.running.study import StoredStudy

MATRIX = {
    "name": "tiny",
    "axes": {
        "task": "mnist_rows",
        "source": "digits",
        "cell": ["rnn", "gru"],
        "architecture": "plain",
        "backend": "numpy",
        "size.hidden": 8,
        "recipe.steps": 10,
        "recipe.limit": 100,
        "protocol.rounds": 2,
        "protocol.round_seconds": 0.001,
        "protocol.warmup_seconds": 0.01,
    },
}
LOCAL = (("cluster", "local"), ("shards", "1"))


def run(results: Path, executor: str, *settings: tuple[str, str]) -> StoredStudy:
    return benchsuite.run(
        MATRIX, results=results, tracking_uri="none", executor=executor, options=RunOptions(settings=settings)
    )


def test_jobs_of_the_local_mode_make_the_study_that_one_machine_makes(tmp_path: Path) -> None:
    alone = run(tmp_path / "alone", "local")
    study = run(tmp_path / "cluster", "slurm", *LOCAL)
    assert len(study.records) == 2
    by_id = {record.trial_id: record for record in study.records}
    for record in alone.records:
        again = by_id[record.trial_id].model_copy(update={"series": study.series(record.trial_id)})
        found = compare_records(record, alone.series(record.trial_id), again)
        assert (found.likeness, found.changes) == (Likeness.EQUAL, {})
        assert study.exhibits(record.trial_id) == alone.exhibits(record.trial_id)
    assert outlives(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((("cluster", "pbs"),), "cluster=pbs: it is `slurm` or `local`"),
        ((("shards", "0"),), "shards=0: give a whole number above 0"),
        ((*LOCAL, ("parallel", "many")), "parallel=many: give a whole number"),
        ((*LOCAL, ("shards", "3")), "shards is given twice"),
    ],
)
def test_a_setting_that_is_none_is_refused(settings: tuple[tuple[str, str], ...], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        registry().start_executor("slurm", RunOptions(settings=settings))


@pytest.mark.parametrize(
    ("executor", "name", "allowed"),
    [
        ("slurm", "partion", "did you mean 'partition'"),
        ("slurm", "sbatch.", "sbatch"),
        ("local", "shards", "No option"),
    ],
)
def test_an_unknown_setting_is_answered_with_those_that_there_are(
    executor: str, name: str, allowed: str
) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown option of executor '{executor}'.*{allowed}"):
        registry().start_executor(executor, RunOptions(settings=((name, "x"),)))


def test_without_slurm_the_command_ends_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for arguments in (["run", "smoke", "--backend", "numpy"], ["plan", "smoke", "--backend", "numpy"]):
        done = call(*arguments, "--executor", "slurm", "--results", str(tmp_path), code=2)
        assert "error: there is no sinfo on this machine" in done.output
        assert "--executor-option cluster=local" in done.output
    done = call("run", "smoke", "--executor", "slurm", "--executor-option", "partition", code=2)
    assert "--executor-option partition: write NAME=VALUE" in done.output


def test_options_of_sbatch_and_lines_of_setup_are_passed_on() -> None:
    settings = ClusterSettings(
        (("sbatch.account", "me"), ("setup", "module load a"), ("sbatch.exclusive", "true"), ("setup", "b"))
    )
    assert settings.sbatch == {"account": "me", "exclusive": True}
    assert settings.setup == ["module load a", "b"]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PENDING", "waiting"),
        ("COMPLETING", "running"),
        ("NODE_FAIL", "gone"),
        ("TIMEOUT", "gone"),
        ("CANCELLED", "cancelled"),
    ],
)
def test_states_of_slurm_are_those_of_shards(word: str, state: str) -> None:
    assert _state(word) == state
