"""Predictions for a whole split, in its own order, and their metrics."""

from __future__ import annotations

import numpy as np

from benchsuite.batching import Batcher
from benchsuite.contracts import Dataset, Program, Ragged, Split, Task


def predictions(program: Program, batcher: Batcher, split: Split) -> np.ndarray:
    """What the program predicts for every row of `split`: (n, C), (n, O), or by step (n, T, ...), where T is
    the longest padded length and steps beyond a row's own length are zero."""
    found: np.ndarray | None = None
    by_step = isinstance(split.targets, Ragged)
    for rows, batch in batcher.evaluation(split):
        part = program.predict(program.place(batch))[: len(rows)]
        if found is None:
            shape = (len(split), batcher.boundaries[-1], *part.shape[2:]) if by_step else None
            found = np.zeros(shape or (len(split), *part.shape[1:]), part.dtype)
        if by_step:
            found[rows, : part.shape[1]] = part
        else:
            found[rows] = part
    assert found is not None, "a split has at least one example"
    return found


def evaluate(
    program: Program, batcher: Batcher, task: Task, dataset: Dataset, split: Split
) -> dict[str, float]:
    """The task's metrics on `split`; the primary one is NaN where a prediction is not finite."""
    predicted = predictions(program, batcher, split)
    if not np.all(np.isfinite(predicted)):
        return {task.primary: float("nan")}
    return {name: float(value) for name, value in task.score(predicted, split, dataset).items()}
