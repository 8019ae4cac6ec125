"""`python -m benchmarks.compiling [--backend jax|tensorflow] [MODEL ...]`: what compiling takes, in two ways.

For models of a matrix (named such as `mnist_rows.lstm.plain`; default: MODELS, of `quick`), on one thread of
the CPU: CPU seconds to compile the functions of a trial, then those of a training step and a prediction.

* JAX: with XLA's own options, and with the backend's.
* TensorFlow: in graphs that serve every length and that it improves, and as the backend makes them: of one
  length where the data have one, and those that run a few times as they were traced.

Both ways take turns, `--rounds` times; a figure is the median.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

from benchmarks.repeated_calls import by_turns
from benchsuite.contracts import Batch, Program
from benchsuite.measure.worker.building import Loaded, build, first_batches, load
from benchsuite.measure.worker.runner import Session
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.running.matrix import expand, load_matrix
from benchsuite.schema import Execution, Trial

BACKENDS = ("jax", "tensorflow")
MODELS = (
    "mnist_rows.rnn.plain",
    "mnist_rows.lstm.bidirectional",
    "time_series.gru.deep",
    "sentiment.lstm.plain",
    "speech_strings.gru.bidirectional",
    "language.lstm.plain",
    "state_tracking.slstm.plain",
    "translation.gru.attention",
)
FUNCTIONS = ("gradients", "predict", "step")
ROUNDS = 3
TURN_SECONDS = 0.1
WIDTH = 34


def trials(backend: str, matrix: str, models: Sequence[str]) -> Iterator[tuple[str, Trial]]:
    """The first trial of each of `models`, by the unroll `dynamic`."""
    found: dict[str, Trial] = {}
    for trial in expand(load_matrix(matrix), registry()).trials:
        if trial.backend == backend:
            found.setdefault(f"{trial.task}.{trial.cell}.{trial.architecture}", trial)
    for name in models:
        execution = found[name].execution.model_copy(update={"unroll": "dynamic"})
        yield name, found[name].model_copy(update={"execution": execution})


def jax_ways() -> dict[str, Callable[[Batch], Batch]]:
    """Each sets the options that a program built next compiles with."""
    from benchsuite_jax import runtime

    def with_options(options: Any) -> Callable[[Batch], Batch]:
        def prepare(batch: Batch) -> Batch:
            vars(runtime)["CPU_COMPILATION"] = options
            return batch

        return prepare

    return {"before": with_options({}), "after": with_options(runtime.CPU_COMPILATION)}


def tensorflow_ways() -> dict[str, Callable[[Batch], Batch]]:
    """Each says for which functions TensorFlow improves graphs, and of which data a batch is."""
    from benchsuite_tensorflow import program
    from benchsuite_tensorflow.program import RUN_A_FEW_TIMES

    def as_others(batch: Batch) -> Batch:
        vars(program)["RUN_A_FEW_TIMES"] = ()
        return replace(batch, ragged=True)

    def as_it_is(batch: Batch) -> Batch:
        vars(program)["RUN_A_FEW_TIMES"] = RUN_A_FEW_TIMES
        return batch

    return {"before": as_others, "after": as_it_is}


def compiled(loaded: Loaded, trial: Trial, prepare: Callable[[Batch], Batch]) -> tuple[Program, Any]:
    """A program that has compiled FUNCTIONS, and the batch that it compiled them for."""
    batch = prepare(first_batches(loaded, trial)[0].batch)
    program, _, _ = build(loaded, trial)
    placed = program.place(batch)
    program.gradients(placed)
    program.predict(placed)
    program.step(placed)
    program.synchronize()
    return program, placed


def measure(backend: str, matrix: str, models: Sequence[str], rounds: int) -> None:
    """One line of JSON for every model: CPU seconds by function and way, of compiling and of running."""
    session = Session(backend)
    session.load_backend()
    ways = {"jax": jax_ways, "tensorflow": tensorflow_ways}[backend]()
    for name, trial in trials(backend, matrix, models):
        loaded = load(session, trial)
        compiled(loaded, trial, ways["after"])  # what a process does once is done
        seconds: dict[str, dict[str, list[float]]] = {way: {name: [] for name in FUNCTIONS} for way in ways}
        programs: dict[str, tuple[Program, Any]] = {}
        for _ in range(rounds):
            for way, prepare in ways.items():
                programs.pop(way, None)
                session._release()
                programs[way] = compiled(loaded, trial, prepare)
                for one in programs[way][0].compilations():
                    seconds[way][one.function].append(one.cpu_seconds)
        found = {way: {name: median(each) for name, each in of.items()} for way, of in seconds.items()}
        print(json.dumps({"model": name, "compile": found, "run": running(programs, rounds)}), flush=True)
        programs.clear()
        session._release()


def running(programs: dict[str, tuple[Program, Any]], rounds: int) -> dict[str, dict[str, float]]:
    """CPU seconds of a step and a prediction, by way."""

    def step(program: Program, placed: Any) -> None:
        program.step(placed)
        program.drain()

    def predict(program: Program, placed: Any) -> None:
        program.predict(placed)

    found: dict[str, dict[str, float]] = {way: {} for way in programs}
    for call in (step, predict):
        each: dict[str, Callable[[], Any]] = {way: partial(call, *given) for way, given in programs.items()}
        for way, seconds in by_turns(each, 2 * rounds + 1, TURN_SECONDS).items():
            found[way][call.__name__] = seconds
    return found


def row(found: dict[str, Any]) -> str:
    before, after = found["compile"]["before"], found["compile"]["after"]
    run = [found["run"]["after"][name] / found["run"]["before"][name] for name in ("step", "predict")]
    parts = [f"{before[name]:6.2f} {after[name] / before[name]:5.2f}" for name in FUNCTIONS]
    return " ".join([f"{found['model']:{WIDTH}}", *parts, *(f"{ratio:8.2f}" for ratio in run)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--backend", choices=BACKENDS, action="append")
    parser.add_argument("--matrix", default="quick")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    backends = asked.backend or list(BACKENDS)
    if asked.here:
        measure(backends[0], asked.matrix, asked.models, asked.rounds)
        return
    for backend in backends:
        print(
            f"{backend}: CPU seconds to compile before, ratio after; ratios of running a step, a prediction"
        )
        print(" ".join([" " * WIDTH, *(f"{name:>12}" for name in FUNCTIONS), *("    step", " predict")]))
        variables = {**os.environ, **worker_variables(registry().backend(backend), Execution())}
        command = [sys.executable, "-m", "benchmarks.compiling", "--here", "--backend", backend]
        command += ["--matrix", asked.matrix, "--rounds", str(asked.rounds), *asked.models]
        with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(row(json.loads(line)), flush=True)
        if process.returncode:
            sys.exit(process.returncode)


if __name__ == "__main__":
    main()
