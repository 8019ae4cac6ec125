"""`python -m benchmarks.generic_cells BACKEND UNROLL ROUNDS [SHAPE ...]`: the built-in cells by their own step,
as the cells of plugins run, beside the backend's kernels, by turns.

Prints CPU seconds per training step as JSON, one entry per round: {"lstm-B32-T28-H64": {"kernel": [...],
"generic": [...], "start": [...]}, ...}. `start` is the seconds until each had taken its first step: where a
backend compiles, they hold the compiler.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.shapes import RECIPE, Shape
from benchsuite.contracts import Program
from benchsuite.plugins import registry
from benchsuite.schema import BUILTIN_CELLS, Execution
from benchsuite.schema.cells import register_cell

CELLS = ("lstm", "gru")
SHAPES = {
    f"{cell}-B{batch}-T{steps}-H{hidden}": Shape("generic", cell, steps, 64, batch, hidden)
    for cell, batch, steps, hidden in itertools.product(CELLS, (32, 128), (28, 128), (64, 128))
}
SAMPLE_SECONDS = 0.1
"""Of CPU time, at the least, in each entry of a round."""
WAYS = ("kernel", "generic")


def generic(shape: Shape) -> Shape:
    """The shape with its cell under a name that no backend has a kernel for."""
    name = f"{shape.cell}_generic"
    register_cell(dataclasses.replace(BUILTIN_CELLS[shape.cell], name=name))
    return dataclasses.replace(shape, cell=name)


def started(backend: str, unroll: str, shape: Shape) -> tuple[Callable[[], None], float]:
    """A function that takes one training step and waits for it, and the seconds until the first was done."""
    begin, execution = time.perf_counter(), Execution.model_validate({"unroll": unroll})
    loaded = registry().backend(backend).load()
    program: Program = loaded.build(shape.model(), shape.parameters(), RECIPE, execution)
    placed = program.place(shape.data())

    def step() -> None:
        program.step(placed)
        program.synchronize()

    step()
    return step, time.perf_counter() - begin


def seconds(step: Callable[[], None], calls: int) -> float:
    begin = time.process_time()
    for _ in range(calls):
        step()
    return (time.process_time() - begin) / calls


def measure(
    backend: str, unroll: str, rounds: int, names: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """CPU seconds per step by shape, way and round; who goes first changes from round to round."""
    found: dict[str, dict[str, list[float]]] = {}
    for name in names:
        shape = SHAPES[name]
        (kernel, first), (other, second) = (
            started(backend, unroll, each) for each in (shape, generic(shape))
        )
        steps = dict(zip(WAYS, (kernel, other), strict=True))
        calls = {way: max(1, round(SAMPLE_SECONDS / seconds(step, 2))) for way, step in steps.items()}
        found[name] = {way: [] for way in WAYS} | {"start": [first, second]}
        for number in range(rounds):
            for way in sorted(WAYS, reverse=bool(number % 2)):
                found[name][way].append(seconds(steps[way], calls[way]))
    return found


if __name__ == "__main__":
    chosen = sys.argv[4:] or list(SHAPES)
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), chosen)))
