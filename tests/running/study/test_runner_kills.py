"""SIGKILL to the run, its worker, or both, at random moments: nothing is lost and nothing outlives it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fixtures.killed_run import NAME, trials
from fixtures.scripted import sleepers, wait_until, workers

from benchsuite.running.store import JOURNAL, StudyStore
from benchsuite.schema import Status

SECONDS = 600.0 + os.getpid() / 1e7
"""How long the process that a trial leaves would sleep; tells it from those of other tests."""

VARYING = {"attempt", "started", "finished"}
VARYING_SCALARS = {"scripted/process", "scripted/served"}
VARYING_FACTS = {"run.cores", "scripted.cores"}
"""What two undisturbed runs differ in: times, which process ran how many trials, and which cores were free."""


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """A run of the study in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "fixtures.killed_run", str(folder), repr(SECONDS)]
    return subprocess.Popen(command, env=environment)


def content(folder: Path) -> dict[str, Any]:
    """Trial id -> its record with its curves, without what two runs differ in."""
    store = StudyStore.open(folder / NAME)
    found = {}
    for trial, record in store.latest().items():
        kept = record.model_dump(mode="json", exclude=VARYING)
        kept["scalars"] = {name: repr(value) for name, value in record.scalars.items()}
        for name in VARYING_SCALARS:
            del kept["scalars"][name]
        for name in VARYING_FACTS:
            kept["environment"].pop(name, None)
        found[trial] = (kept, [one.model_dump() for one in store.series(trial)])
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run that nobody disturbs records."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert begin(folder).wait(60) == 0
    return content(folder)


def wait_for(folder: Path, records: int) -> None:
    """Wait until the study has begun and holds so many records."""
    assert wait_until(lambda: (folder / NAME / "study.json").exists(), 60)
    assert wait_until(lambda: journal(folder).count(b"\n") >= records, 60)


@pytest.mark.parametrize(
    "rounds", [3, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])]
)
def test_rounds_of_kills_and_resumes_end_as_an_undisturbed_run(
    tmp_path: Path, rounds: int, undisturbed: dict[str, Any]
) -> None:
    draw, seen = random.Random(rounds), Counter[str]()
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begin(folder)
        if draw.random() < 0.8:
            wait_for(folder, draw.randrange(4))
        time.sleep(draw.uniform(0.0, 0.15))
        whom = draw.choice(("run", "worker", "both"))
        hit = strike(process, whom)
        process.wait(60)
        assert wait_until(lambda: not workers() and not sleepers(SECONDS), 20), whom
        recorded = journal(folder).count(b"\n")
        assert begin(folder).wait(60) == 0
        assert wait_until(lambda: not workers() and not sleepers(SECONDS), 20), whom
        check(folder, undisturbed)
        seen.update([whom, *hit, f"{recorded} recorded before"])
    print(f"{rounds} rounds, 0 lost:", dict(sorted(seen.items())))


def strike(process: subprocess.Popen[bytes], whom: str) -> list[str]:
    """Kill the run, its worker, or both; gives which of them was still there."""
    hit = []
    if whom != "run":
        for worker in workers():
            worker.send_signal(signal.SIGKILL)
            hit.append("a worker was hit")
    if whom != "worker" and process.poll() is None:
        process.kill()
        hit.append("the run was hit")
    return hit


def journal(folder: Path) -> bytes:
    path = folder / NAME / JOURNAL
    return path.read_bytes() if path.exists() else b""


def check(folder: Path, expected: dict[str, Any]) -> None:
    """After the resumed run the study holds what an undisturbed one does, nothing was done twice that had been
    recorded, and no file is left over; a worker that was killed may have cost its trial once more."""
    store = StudyStore.open(folder / NAME)
    history, damage = store.history()
    assert damage == []
    assert set(expected) == {trial.id for trial in trials(SECONDS)}
    assert content(folder) == expected
    counted = Counter(record.trial_id for record in history if record.status is Status.OK)
    assert set(counted.values()) == {1}
    files = {path.name for path in (folder / NAME / "series").iterdir()}
    assert files == {f"{trial}.{record.attempt}.parquet" for trial, record in store.latest().items()}
    assert not [path for path in folder.rglob("*") if path.suffix in (".partial", ".torn")]
