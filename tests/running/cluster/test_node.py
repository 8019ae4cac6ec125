"""The node's side: the environment of its trials, the memory of its job, and an end together with its job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from fixtures.inline_scheduler import WarmExecutor
from fixtures.scripted import scripted_trial, wait_until
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import RunOptions
from benchsuite.errors import StoreError
from benchsuite.running.cluster import node
from benchsuite.running.cluster.attempts import AttemptReader, recorded_trials
from benchsuite.running.cluster.runs import ClusterRun, RunFolder
from benchsuite.schema import Trial

TRIALS = (scripted_trial(), scripted_trial(seed=1))


def folder_of(study: Path, *trials: Trial) -> RunFolder:
    return RunFolder.create(study, ClusterRun("test", RunOptions(), (trials or TRIALS,)))


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "PATH",
                "HOME",
                "SLURM_JOB_ID",
                "SLURMD_NODENAME",
                "RAY_JOB",
                "OMP_NUM_THREADS",
                "CUDA_VISIBLE_DEVICES",
            ]
        ),
        st.text("ab1", max_size=3),
    )
)
def test_a_trial_sees_nothing_of_the_scheduler(given: dict[str, str]) -> None:
    kept = {"PATH", "HOME", "CUDA_VISIBLE_DEVICES"}
    assert node.clean_environment(given) == {name: given[name] for name in given if name in kept}


@pytest.mark.parametrize(
    ("given", "asked", "memory"),
    [
        ("4000", None, 0.9 * 4000 * 2**20 / 2),
        ("", None, None),
        ("4000", 2.0**30, 2.0**30),
        ("many", None, None),
    ],
)
def test_trials_share_the_memory_that_the_scheduler_gives(
    monkeypatch: pytest.MonkeyPatch, given: str, asked: float | None, memory: float | None
) -> None:
    for name, value in node.clean_environment({"SLURM_MEM_PER_NODE": given}).items():
        monkeypatch.setenv(name, value)
    assert node._own_options(RunOptions(jobs=2, memory=asked)) == RunOptions(jobs=2, memory=memory)
    assert node.NODE_MEMORY not in os.environ


def test_an_attempt_runs_what_no_earlier_one_has_recorded(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    by_id = {trial.id: trial for trial in TRIALS}

    class Half(WarmExecutor):
        def run(self, trials):  # type: ignore[no-untyped-def]
            yield from super().run(trials[:1])
            raise KeyboardInterrupt

    assert not node.run_attempt(folder, 0, Half())
    assert node.run_attempt(folder, 0, WarmExecutor())
    first, second = folder.attempts(0)
    assert recorded_trials(first, by_id) == {TRIALS[0].id}
    assert recorded_trials(second, by_id) == {TRIALS[1].id}


def test_a_node_has_the_settings_of_the_machine_that_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", "here")
    settings = (("BENCHSUITE_DATA", "there"), ("BENCHSUITE_ENERGY", ""))
    folder = RunFolder.create(tmp_path, ClusterRun("test", RunOptions(), (TRIALS[:1],), settings))
    monkeypatch.delenv("BENCHSUITE_ENERGY", raising=False)
    node.run_attempt(folder, 0, WarmExecutor())
    assert {name: os.environ[name] for name, _ in settings} == dict(settings)
    monkeypatch.delenv("BENCHSUITE_ENERGY")


def test_why_an_attempt_could_not_run_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)

    class Refuses(WarmExecutor):
        def check_support(self, trials):  # type: ignore[no-untyped-def]
            del trials
            raise StoreError("the disk is gone")

    with pytest.raises(StoreError):
        node.run_attempt(folder, 0, Refuses())
    reader = AttemptReader(folder.attempts(0)[0], {})
    assert list(reader.read()) == []
    assert (reader.failure, reader.ended) == ("the disk is gone", False)


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_nothing_outlives_the_job(tmp_path: Path, number: int) -> None:
    """The job's process ends while a real trial is trained; the node's process, in a session of its own, ends
    too, with its workers and its guardian."""
    trial = Trial.model_validate(
        {
            "task": "mnist_rows",
            "source": "digits",
            "cell": "lstm",
            "architecture": "plain",
            "backend": "numpy",
            "recipe": {"epochs": 10_000},
        }
    )
    folder = folder_of(tmp_path, trial)
    script = f"from benchsuite.running.cluster.task import run_shard; run_shard({str(folder.path)!r}, 0)"
    job = subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    try:
        events = folder.path / "shards" / "0" / "attempt-1.events"
        assert wait_until(lambda: events.exists() and b'"progress"' in events.read_bytes(), 120)
        family = psutil.Process(job.pid).children(recursive=True)
        assert len(family) >= 3
        job.send_signal(number)
        assert wait_until(lambda: not any(map(_runs, family)), 60)
    finally:
        job.kill()
        job.wait()
    assert recorded_trials(folder.attempts(0)[0], {trial.id: trial}) == set()


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
