"""`python -m benchmarks.loop BACKEND full|ragged ROUNDS`: the suite's loop beside a bare one, by turns.

Prints CPU seconds a step as JSON, one entry a round: {"bare": {"whole": [...], "own": [...]}, "suite": ...}.
`own` is what is spent outside the program's methods: by it the loops can be told apart to a thousandth of a
step, where the steps themselves vary by tens of per cent on a machine that is not alone.

The bare loop is what a user would write around the same steps: sequences lie padded in one array, and a step
takes

    rows = order[start : start + B]
    batch = Batch(padded[rows], lengths[rows], labels[rows])      # fancy indexing copies the rows
    program.step(program.place(batch))

with one drain() at the end, which waits for the device. The suite's loop is Trainer's epoch: shuffling,
bucketing and padding from flat ragged data, counting, reading losses back. Both make the same steps: `full`
sequences all have the longest length; for `ragged` ones the bare loop is given the suite's rows and padded
lengths, so that it is not charged for the longer padding it would do by itself.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.meter import Meter
from benchmarks.shapes import RECIPE, SHAPES
from benchmarks.tasks import task_of
from benchsuite.contracts import Batch, Program, Ragged, Split
from benchsuite.measure.batching import Batcher, batcher
from benchsuite.measure.training import Evaluator, Snapshots
from benchsuite.measure.training.loop import Trainer
from benchsuite.plugins import registry
from benchsuite.schema import Execution

SHAPE = SHAPES["lstm-text-B32-H128"]
SEQUENCES = 3072
STEPS = 12
"""Steps a round: an epoch of that many batches, of another part of the sequences each time."""


class Data:
    """The same sequences twice: padded in one array, and flat."""

    def __init__(self, ragged: bool) -> None:
        rng = np.random.default_rng(0)
        time, inputs = SHAPE.time, SHAPE.inputs
        lengths = rng.integers(time // 5, time + 1, SEQUENCES) if ragged else np.full(SEQUENCES, time)
        self.lengths = lengths.astype(np.int32)
        self.padded = rng.standard_normal((SEQUENCES, time, inputs), np.float32)
        self.padded[np.arange(time) >= lengths[:, None]] = 0
        self.labels = rng.integers(0, SHAPE.model().head.outputs, SEQUENCES).astype(np.int32)
        rows = [self.padded[row, :length] for row, length in enumerate(lengths)]
        self.split = Split(Ragged.from_sequences(rows), self.labels)


def bare(program: Program, data: Data, drawn: np.ndarray, times: list[int]) -> None:
    for rows, length in zip(drawn, times, strict=True):
        batch = Batch(data.padded[rows, :length], data.lengths[rows], data.labels[rows])
        program.step(program.place(batch))
    program.drain()


def trainer(program: Program, split: Split, cut: Batcher) -> Trainer:
    """The suite's loop over `split`."""
    model, task = SHAPE.model(), task_of(split, split)
    recipe = RECIPE.model_copy(update={"batch_size": SHAPE.batch, "epochs": 10**6})
    evaluator = Evaluator(cut, task, model, recipe)
    return Trainer(program, evaluator, 0, Snapshots(model, cut.batch(split, np.arange(SHAPE.batch))), 2)


def measure(backend: str, ragged: bool, rounds: int) -> dict[str, dict[str, list[float]]]:
    """CPU seconds a step by loop and round; who goes first changes from round to round."""
    data, meter = Data(ragged), Meter()
    cut = batcher(data.split, [], SHAPE.batch, "float32")
    built = registry().backend(backend).load().build(SHAPE.model(), SHAPE.parameters(), RECIPE, Execution())
    for length in cut.boundaries:  # everything is compiled before anything is timed
        rows = np.flatnonzero(data.lengths <= length)[-SHAPE.batch :]
        built.step(built.place(cut.batch(data.split, rows)))
    built.drain()
    program: Program = meter.methods(built)
    size = STEPS * SHAPE.batch
    parts = np.random.default_rng(1).permutation(SEQUENCES)[: SEQUENCES // size * size].reshape(-1, size)
    found: dict[str, dict[str, list[float]]] = {way: {"whole": [], "own": []} for way in ("bare", "suite")}
    for number in range(rounds + 1):
        rows = parts[number % len(parts)]
        part = data.split.select(rows)
        loop, drawn = trainer(program, part, cut), cut.drawn(part, 0, number + 1)
        places = np.searchsorted(cut.boundaries, part.inputs.lengths[drawn].max(axis=1))
        times = [cut.boundaries[place] for place in places]
        ways: dict[str, Callable[[], object]] = {
            "bare": partial(bare, program, data, rows[drawn], times),
            "suite": partial(loop._epoch, number + 1),
        }
        for way in sorted(ways, reverse=bool(number % 2)):
            begin, thread, inside = time.process_time(), time.thread_time(), meter.seconds
            ways[way]()
            whole = time.process_time() - begin
            own = time.thread_time() - thread - (meter.seconds - inside)
            if number:  # the first round warms up
                found[way]["whole"].append(whole / STEPS)
                found[way]["own"].append(own / STEPS)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2] == "ragged", int(sys.argv[3]))))
