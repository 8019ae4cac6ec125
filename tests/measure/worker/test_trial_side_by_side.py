"""Real trials in real processes: none works while another one is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchsuite.measure.machine import RUNTIME_VARIABLE
from benchsuite.measure.machine.byte_locks import SUPPORTED
from benchsuite.plugins import registry
from benchsuite.schema import Protocol, Recipe, Size, Trial

WORKER = """
import json, sys, time
from benchsuite.measure.training.loop import Trainer
from benchsuite.measure.worker import trial as phases
from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Trial

timed, steps = [], []

def logged(original, log):
    def call(*arguments):
        begin = time.monotonic()
        found = original(*arguments)
        log.append((begin, time.monotonic()))
        return found
    return call

phases.measure_speed = logged(phases.measure_speed, timed)
Trainer._step = logged(Trainer._step, steps)
session = Session("numpy")
records, told = [], []
for seed in range(2):
    trial = Trial.model_validate_json(sys.argv[1]).model_copy(update={"seed": seed})
    records.append(session.run(trial, lambda progress: told.append(progress.phase)))
print(json.dumps({
    "timed": timed,
    "steps": steps,
    "facts": [record.environment for record in records],
    "status": [record.status for record in records],
    "told": told,
}))
"""


@pytest.mark.skipif(not SUPPORTED, reason="needs locks on open files")
def test_what_is_timed_is_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path))
    trial = Trial(
        task="mnist_rows",
        source="digits",
        options={name: option.default for name, option in registry().task("mnist_rows").options.items()},
        cell="rnn",
        architecture="plain",
        size=Size(hidden=8),
        backend="numpy",
        recipe=Recipe(epochs=3),
        protocol=Protocol(rounds=3, round_seconds=0.02, warmup_seconds=0.05),
    )
    command = [sys.executable, "-c", WORKER, trial.model_dump_json()]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = [json.loads(process.communicate(timeout=300)[0]) for process in processes]
    assert [one["status"] for one in found] == [["ok", "ok"]] * 2
    timed = sorted((begin, end) for one in found for begin, end in one["timed"])
    assert len(timed) == 4
    assert all(before[1] <= after[0] for before, after in pairwise(timed))
    steps = [step for one in found for step in one["steps"]]
    for begin, end in timed:
        assert all(step[1] <= begin or end <= step[0] for step in steps)
    facts = [facts for one in found for facts in one["facts"]]
    assert {one["run.timed_alone"] for one in facts} == {"yes"}
    # two processes that begin together work beside each other at some time
    assert max(int(one["run.beside"]) for one in facts) == 1
    for one in found:
        assert ("wait" in one["told"]) == any(float(facts["run.waited_seconds"]) for facts in one["facts"])
