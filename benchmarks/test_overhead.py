"""What the suite costs beyond the work it is asked for: by step, by trial in a warm worker, by run."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.conftest import Set
from benchmarks.contestants import FRAMEWORKS
from benchmarks.processes import NULL, cost, python, suite
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.schema import Execution

LOOP_ROUNDS = 9
TRIALS = {"null": 90, "numpy": 90, "torch": 60}
COMPILING, FEW = ("tensorflow", "jax"), 8
"""Backends that compile for tenths of a second in every trial, and how many of these are run. They leave cold
caches, and garbage to collect: what the suite's code takes after that is shown and is no goal."""
FLUSHES = 200
MEMORY = Path("/dev/shm")
"""Where files are memory and a flush takes no time."""


def variables(backend: str, installed: Mapping[str, str]) -> dict[str, str]:
    entry = registry().backends.get(backend) or registry().backend("numpy")
    return {**installed, **worker_variables(entry, Execution())}


def answer(command: list[str], environment: Mapping[str, str]) -> Any:
    return json.loads(cost(command, environment, 1).output.splitlines()[-1])


@pytest.mark.parametrize("kind", ["full", "ragged"])
@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_the_training_loop(goal: Set, installed: Mapping[str, str], backend: str, kind: str) -> None:
    command = python("-m", "benchmarks.loop", backend, kind, str(LOOP_ROUNDS))
    found = answer(command, variables(backend, installed))
    step = np.median(found["bare"]["whole"])
    more = (np.median(found["suite"]["own"]) - np.median(found["bare"]["own"])) / step
    raced = np.median(np.array(found["suite"]["whole"]) / found["bare"]["whole"])
    goal(
        f"loop: {backend}, {kind} sequences, over a bare loop",
        100 * more,
        at_most=2.0,
        unit="%",
        note=f"step {1e3 * step:.1f} ms; whole loops raced, noise included: {100 * (raced - 1):+.1f} %",
    )


@pytest.mark.parametrize("backend", TRIALS)
def test_a_trial_in_a_warm_worker(goal: Set, installed: Mapping[str, str], backend: str) -> None:
    total, rest, phases = trial(backend, installed)
    more = ", ".join(f"{name} {each:.1f}" for name, each in phases.items())
    note = f"of {total:.1f} ms; {more}"
    if backend == "null":
        wakes = [f"{name} {trial(name, installed)[1]:.1f} ms" for name in COMPILING]
        note += f"; in the wake of a compile: {', '.join(wakes)}"
    goal(f"trial: {backend}, beyond its own work", rest, at_most=10.0, unit="ms", note=note)


def trial(backend: str, installed: Mapping[str, str]) -> tuple[float, float, dict[str, float]]:
    """Medians in milliseconds: of whole trials, of all but their own work, and of that by phase."""
    command = python("-m", "benchmarks.warm", backend, str(TRIALS.get(backend, FEW)))
    found = answer(command, variables(backend, installed))
    total, own = np.array(found["total"]), np.array(found["own"])
    phases = {name: 1e3 * float(np.median(each)) for name, each in found["phases"].items()}
    return 1e3 * float(np.median(total)), 1e3 * float(np.median(total - own)), phases


def test_a_hundred_trials_of_nothing(goal: Set, installed: Mapping[str, str], tmp_path: Path) -> None:
    """`benchsuite run` from start to end: planning, worker, journal, table of results."""
    cached = cost(run(tmp_path / "warm"), installed, 1, ends_with=REFUSED)  # compiles what is imported
    assert "100 records" in cached.output
    on_disk = [once(tmp_path, installed) for _ in range(3)]
    folder = MEMORY / f"benchsuite-{os.getpid()}" if MEMORY.is_dir() else tmp_path
    try:
        in_memory = [once(folder, installed) for _ in range(5)]
    finally:
        if folder != tmp_path:
            shutil.rmtree(folder, ignore_errors=True)
    (wall, cpu), (disk, _) = np.median(in_memory, axis=0), np.median(on_disk, axis=0)
    goal(
        "run: 100 trials of nothing, end to end, CPU of all processes",
        float(cpu),
        at_most=2.0,
        unit="s",
        note=f"wall {wall:.2f} s where flushes are free, {disk:.2f} s on this disk: "
        f"{1e3 * (disk - wall) / FLUSHES:.1f} ms for each of the two flushes a trial",
    )


REFUSED = 1
"""How a run ends whose timings are refused: steps that do nothing are `idle`."""


def run(results: Path) -> list[str]:
    where = ["--results", str(results), "--tracking-uri", "none"]
    return suite("run", str(NULL / "null.toml"), *where)


def once(folder: Path, installed: Mapping[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a run into an empty folder."""
    results = folder / f"results-{time.monotonic_ns()}"
    found = cost(run(results), installed, 1, ends_with=REFUSED)
    return found.wall, found.cpu
