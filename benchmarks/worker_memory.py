"""`python -m benchmarks.worker_memory [BACKEND ...] [--trials N]`: a warm worker's memory, over many trials.

The smallest trials, one after another in one process with a worker's environment, of sizes that take turns, so
that a framework that compiles does so in every trial. Prints the resident memory at several points (MiB, after
the trial's is released), its growth per trial in the last half, and CPU milliseconds per trial in the first and
the last fifth.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.processes import NULL, install_null
from benchsuite.analysis.validity import is_ranked
from benchsuite.measure.worker.channel import TrialFinished, encode
from benchsuite.measure.worker.runner import Session
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.running.matrix import expand, load_matrix
from benchsuite.schema import Execution, Trial

BACKENDS = ("numpy", "torch", "tensorflow", "jax")
TRIALS = 500
SIZES = 7
"""Numbers of hidden units that take turns."""


def trials(backend: str, count: int) -> Iterator[Trial]:
    first = expand(load_matrix(NULL / "null.toml"), registry()).trials[0]
    for number in range(count):
        size = first.size.model_copy(update={"hidden": 1 + number % SIZES})
        yield first.model_copy(update={"backend": backend, "seed": number, "size": size})


def measure(backend: str, count: int) -> dict[str, list[float]]:
    """MiB that the process holds after each trial, and CPU seconds that it took."""
    session, process = Session(backend), psutil.Process()
    found: dict[str, list[float]] = {"held": [], "seconds": []}
    for trial in trials(backend, count):
        begin = time.process_time()
        record = session.run(trial, lambda _: None)
        encode(TrialFinished.of(record))
        assert is_ranked(record), record.reason
        found["seconds"].append(time.process_time() - begin)
        found["held"].append(process.memory_info().rss / 2**20)
    return found


def measured(backend: str, count: int) -> dict[str, list[float]]:
    """The same from a process with a worker's environment, where the null plugin is installed."""
    with tempfile.TemporaryDirectory(prefix="benchsuite-memory-") as made:
        paths = [install_null(Path(made)), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {**os.environ, **worker_variables(registry().backend(backend), Execution())}
        variables["PYTHONPATH"] = os.pathsep.join(paths)
        variables["BENCHSUITE_RUNTIME"] = (
            made  # nothing is timed here: no trial of others waits, and none is waited for
        )
        command = [
            sys.executable,
            "-m",
            "benchmarks.worker_memory",
            backend,
            "--here",
            "--trials",
            str(count),
        ]
        answer = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, list[float]] = json.loads(answer.stdout.splitlines()[-1])
    return found


def told(backend: str, found: dict[str, list[float]]) -> str:
    """One line for a reader."""
    held, seconds = np.array(found["held"]), 1e3 * np.array(found["seconds"])
    count, fifth = len(held), max(1, len(held) // 5)
    points = sorted({1, min(10, count), count // 5, count // 2, count} - {0})
    last = np.arange(count // 2, count)
    grew = 1024 * np.polyfit(last, held[last], 1)[0] if len(last) > 1 else 0.0
    at = ", ".join(f"{held[point - 1]:.0f} after {point}" for point in points)
    return (
        f"{backend}: MiB {at}; {grew:+.1f} KiB per trial in the last half; "
        f"CPU {np.median(seconds[:fifth]):.1f} ms per trial at first, {np.median(seconds[-fifth:]):.1f} at last"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backends", nargs="*", default=BACKENDS)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--here", action="store_true", help="measure in this process and print JSON")
    asked = parser.parse_args()
    for backend in asked.backends:
        if asked.here:
            print(json.dumps(measure(backend, asked.trials)))
            continue
        print(told(backend, measured(backend, asked.trials)), flush=True)


if __name__ == "__main__":
    main()
