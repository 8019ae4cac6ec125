"""SIGKILL to the run, its worker, or both, at random moments: nothing is lost and nothing outlives it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial, wait_until, workers

from benchsuite.running.store import StudyStore
from benchsuite.schema import Status

SCRIPT = textwrap.dedent(
    """
    import sys; from pathlib import Path
    import pluggy
    from fixtures.scripted import scripted_executor, scripted_trial
    from benchsuite import hookspecs
    from benchsuite.plugins import Registry
    from benchsuite.running.study import run_study
    manager = pluggy.PluginManager(hookspecs.PROJECT); manager.add_hookspecs(hookspecs)
    trials = [scripted_trial("sleep", seed=seed, seconds=0.1) for seed in range(4)]
    with scripted_executor() as executor:
        run_study("s", trials, executor, Registry(manager), Path(sys.argv[1]))
    """
)
TRIALS = [scripted_trial("sleep", seed=seed, seconds=0.1) for seed in range(4)]


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """A run of the study in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], env=environment)


@pytest.mark.parametrize(
    "rounds", [3, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])]
)
def test_rounds_of_kills_and_resumes_end_as_an_undisturbed_run(tmp_path: Path, rounds: int) -> None:
    draw = random.Random(rounds)
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begin(folder)
        assert wait_until(lambda here=folder: (here / "s" / "study.json").exists(), 60)  # type: ignore[misc]
        time.sleep(draw.uniform(0.0, 0.8))
        whom = draw.choice(("run", "worker", "both"))
        found = workers()
        if whom != "run":
            for worker in found:
                worker.send_signal(signal.SIGKILL)
        if whom != "worker":
            process.kill()
        process.wait(60)
        assert wait_until(lambda: not workers(), 20), whom
        assert begin(folder).wait(60) == 0
        check(folder, whom)


def check(folder: Path, whom: str) -> None:
    """After the resumed run every trial has one good record and its own curves, and none was done twice that
    had been recorded; a worker that was killed may have cost its trial once more."""
    store = StudyStore.open(folder / "s")
    history, damage = store.history()
    latest = store.latest()
    assert damage == []
    assert {trial.id for trial in TRIALS} == set(latest)
    assert all(record.status is Status.OK for record in latest.values()), whom
    counted = Counter(record.trial_id for record in history if record.status is Status.OK)
    assert set(counted.values()) == {1}
    files = {path.name for path in (folder / "s" / "series").iterdir()}
    assert files == {f"{trial}.{record.attempt}.parquet" for trial, record in latest.items()}
    assert all(store.series(trial)[0].name == "train/loss" for trial in latest)
