"""`python -m benchmarks.replicas [MATRIX ...] [--task TASK]`: what three seeds cost as one program.

For every model of the built-in matrices (default: `standard`; of `quick` the same three tasks) on the CPU, one
thread, CPU time, all ways by turns:

* NumPy: the training step as it is, and the least that a program with a leading axis of three seeds could cost
  (benchmarks.repeated_calls);
* JAX: the compiled step, that of `jax.vmap` over three seeds, and one program that takes the steps of three
  seeds one after the other; with the seconds that each takes to be compiled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from benchsuite.measure.batching import training_batches, training_steps
from benchsuite.measure.worker.building import Loaded, build, first_batches, load
from benchsuite.measure.worker.runner import Session
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.running.matrix import expand, load_matrix
from benchsuite.schema import Execution, Trial

SEEDS = 3
TASKS = ("mnist_rows", "time_series", "sentiment")
BACKENDS = ("numpy", "jax")
ROUNDS = 5
TURN_SECONDS = 0.1


def models(matrix: str, backend: str, task: str | None) -> Iterator[list[Trial]]:
    """For every model of the matrix: its trial with each of the seeds."""
    seen = set()
    for trial in expand(load_matrix(matrix), registry()).trials:
        name = (trial.task, trial.cell, trial.architecture)
        chosen = trial.task == task if task else trial.task in TASKS
        if not chosen or trial.backend != backend or name in seen or trial.architecture == "cnn":
            continue
        seen.add(name)
        yield [trial.model_copy(update={"seed": seed}) for seed in range(SEEDS)]


def padding(loaded: Loaded, trials: list[Trial]) -> tuple[float, int]:
    """Steps over time of one program of all seeds, which goes on to the longest row of any of their batches,
    divided by those of the seeds apart; and how many padded lengths there are."""
    split, cut = loaded.task.train, loaded.batcher
    drawn = [cut.drawn(split, trial.seed, 0) for trial in trials]
    longest = np.array([split.inputs.lengths[rows].max(axis=1) for rows in drawn])
    return float(len(trials) * longest.max(axis=0).sum() / longest.sum()), len(cut.boundaries)


def measure_numpy(session: Session, trials: list[Trial]) -> dict[str, Any]:
    """CPU seconds of a step of one seed, and of the least that a step of all of them could take."""
    from benchmarks.repeated_calls import Recorder, Repeated, by_turns

    loaded = load(session, trials[0])
    batch = first_batches(loaded, trials[0])[0].batch
    plain, _, _ = build(loaded, trials[0])
    recorder = Recorder()
    undo = recorder.install()
    watched, _, _ = build(loaded, trials[0])
    undo()
    placed, seen = plain.place(batch), watched.place(batch)
    for _ in range(3):
        plain.step(placed)
        watched.step(seen)
    recorder.recording = True
    watched.step(seen)
    recorder.recording = False
    one, all_seeds = Repeated(recorder, 1), Repeated(recorder, SEEDS)

    def restore() -> None:
        one.restore()
        all_seeds.restore()

    ways: dict[str, Callable[[], Any]] = {
        "step": lambda: plain.step(placed),
        "one": one.run,
        "products": one.multiply,
        "all": all_seeds.run,
        "all_products": all_seeds.multiply,
    }
    found: dict[str, Any] = by_turns(ways, ROUNDS, TURN_SECONDS, [restore])
    return found | {"calls": len(recorder.calls)} | _facts(loaded, trials, batch)


def measure_jax(session: Session, trials: list[Trial]) -> dict[str, Any]:
    """CPU seconds of a step of one seed, of all seeds in one program, and what each takes to be compiled."""
    import jax
    import jax.numpy as jnp

    from benchmarks.repeated_calls import by_turns
    from benchsuite_jax import optimisers
    from benchsuite_jax.program import JaxProgram
    from benchsuite_jax.runtime import compiler_options, matmul_precision

    loaded = load(session, trials[0])
    programs, placed = [], []
    shape = first_batches(loaded, trials[0])[0].batch
    for trial in trials:
        program, _, _ = build(loaded, trial)
        assert isinstance(program, JaxProgram)
        programs.append(program)
        placed.append(program.place(_of_shape(loaded, trial, shape.time)))
    recipe, dtype = loaded.recipe, trials[0].execution.dtype
    fixed = optimisers.bias_corrections(recipe, 1, dtype), optimisers.scheduled_rate(recipe, 1, dtype)
    step = programs[0]._step

    def solo(parameters: Any, moments: Any, feed: Any, corrections: Any, rate: Any) -> Any:
        return step(parameters, moments, None, feed, corrections, rate)

    def stacked(*trees: Any) -> Any:
        return jax.tree.map(lambda *parts: jnp.stack(parts), *trees)

    def scanned(parameters: Any, moments: Any, feed: Any, corrections: Any, rate: Any) -> Any:
        return jax.lax.map(
            lambda one: solo(one[0], one[1], one[2], corrections, rate), (parameters, moments, feed)
        )

    apart = [
        (program._parameters, program._moments, each.feed)
        for program, each in zip(programs, placed, strict=True)
    ]
    together = stacked(*apart)
    functions = {
        "step": (solo, apart[0]),
        "vmap": (jax.vmap(solo, in_axes=(0, 0, 0, None, None)), together),
        "scan": (scanned, together),
    }
    compiled, seconds = {}, {}
    with matmul_precision(trials[0].execution):
        jax.jit(lambda x: x + 1)(1.0)
        for name, (function, arguments) in functions.items():
            begin = time.process_time()
            lowered = jax.jit(function, donate_argnums=(0, 1)).lower(*arguments, *fixed)
            compiled[name] = lowered.compile(compiler_options(loaded.execution))
            seconds[f"compile_{name}"] = time.process_time() - begin

    def copied(tree: Any) -> Any:
        return jax.tree.map(jnp.copy, tree)

    after = [compiled["step"](*copied(each), *fixed) for each in apart]
    difference = {
        name: _difference(jax, after, compiled[name](*copied(together), *fixed)) for name in ("vmap", "scan")
    }
    held = {name: copied(functions[name][1]) for name in compiled}

    def stepping(name: str) -> Callable[[], None]:
        def call() -> None:
            parameters, moments, feed = held[name]
            parameters, moments, *rest = compiled[name](parameters, moments, feed, *fixed)
            held[name] = parameters, moments, feed
            jax.block_until_ready(rest)

        return call

    found = by_turns({name: stepping(name) for name in compiled}, ROUNDS, TURN_SECONDS)
    return found | seconds | {"difference": difference} | _facts(loaded, trials, shape)


def _of_shape(loaded: Loaded, trial: Trial, steps: int) -> Any:
    """A training batch of the trial's first epoch that is padded to so many steps."""
    drawn = training_batches(trial.recipe, loaded.batcher, loaded.task.train, trial.seed, 0)
    return next(chunk.batch for chunk in drawn if chunk.batch.time == steps)


def _difference(jax: Any, apart: list[Any], together: Any) -> float:
    """The largest difference of any number after one step between seeds apart and seeds together, relative to
    the largest number of its array."""
    worst = 0.0
    for seed, one in enumerate(apart):
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(together), strict=True):
            a, b = np.asarray(a), np.asarray(b)[seed]
            worst = max(worst, float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(a))), 1e-30)))
    return worst


def _facts(loaded: Loaded, trials: list[Trial], batch: Any) -> dict[str, Any]:
    trial, (more, lengths) = trials[0], padding(loaded, trials)
    return {
        "model": f"{trial.task} {trial.cell} {trial.architecture}",
        "rows": batch.size,
        "time": batch.time,
        "hidden": trial.size.hidden,
        "padding": more,
        "lengths": lengths,
        "steps": training_steps(loaded.recipe, loaded.batcher, loaded.task.train),
    }


def numpy_row(found: Mapping[str, Any]) -> list[str]:
    """Of HEADS: the rest of a step (Python, and assignments to slices) is taken to be shared by all seeds."""
    step, shared = found["step"], max(0.0, found["step"] - found["one"])
    figures = [
        found["products"] / step,
        shared / step,
        SEEDS * found["products"] / step,
        (found["all"] + shared) / step,
    ]
    return [
        *_named(found),
        *(f"{figure:.2f}" for figure in figures),
        f"{figures[-1] * found['padding']:.2f}",
        "",
    ]


def jax_row(found: Mapping[str, Any]) -> list[str]:
    """Of HEADS. A step is compiled once for each padded length."""
    step, more, lengths, steps = (found[name] for name in ("step", "padding", "lengths", "steps"))
    one = lengths * found["compile_step"] + steps * step
    together = lengths * found["compile_vmap"] + steps * found["vmap"] * more
    shared = lengths * found["compile_step"] + SEEDS * steps * step
    figures = [
        found["compile_step"],
        found["vmap"] / step,
        found["scan"] / step,
        together / one,
        shared / one,
    ]
    return [*_named(found), *(f"{figure:.2f}" for figure in figures), f"{found['difference']['vmap']:.0e}"]


def _named(found: Mapping[str, Any]) -> list[str]:
    shape = f"{found['rows']}x{found['time']}x{found['hidden']}"
    return [found["model"], shape, f"{1e3 * found['step']:.2f}"]


ROWS = {"numpy": numpy_row, "jax": jax_row}
WIDTHS = (32, 11, 7, 6, 6, 6, 6, 6, 6)
HEADS = {
    "numpy": f"""the step of one seed in NumPy, and {SEEDS} seeds as one program, in steps of one seed
  model; rows x time x hidden; ms per step; share of products; share of Python; {SEEDS} times the products
  alone; {SEEDS} seeds as one program, at least; the same with batches padded to the longest of all seeds""",
    "jax": f"""the step of one seed in JAX, and {SEEDS} seeds as one program, in steps of one seed
  model; rows x time x hidden; ms per step; s to compile it; vmap; one after the other in one program;
  training of {SEEDS} seeds with vmap, in trainings of one; of {SEEDS} seeds apart with one compilation;
  largest relative difference under vmap""",
}


def measure(backend: str, matrix: str, task: str | None) -> None:
    """One line of JSON for every model."""
    session = Session(backend)
    for trials in models(matrix, backend, task):
        found = {"numpy": measure_numpy, "jax": measure_jax}[backend](session, trials)
        print(json.dumps(found), flush=True)
        session._release()


def measured(backend: str, matrix: str, task: str | None) -> Iterator[dict[str, Any]]:
    """The same from a process with a worker's environment."""
    variables = {**os.environ, **worker_variables(registry().backend(backend), Execution())}
    command = [sys.executable, "-m", "benchmarks.replicas", matrix, "--backend", backend]
    with subprocess.Popen(
        command + (["--task", task] if task else []), env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("matrices", nargs="*", default=["standard"])
    parser.add_argument("--task")
    parser.add_argument("--backend", choices=BACKENDS, help="print this one's measurements as JSON")
    asked = parser.parse_args()
    for matrix in asked.matrices:
        if asked.backend:
            measure(asked.backend, matrix, asked.task)
            continue
        for backend in BACKENDS:
            print(f"\n{matrix}: {HEADS[backend]}")
            for found in measured(backend, matrix, asked.task):
                print(
                    "  ".join(
                        f"{text:>{width}}" for text, width in zip(ROWS[backend](found), WIDTHS, strict=True)
                    )
                )


if __name__ == "__main__":
    main()
