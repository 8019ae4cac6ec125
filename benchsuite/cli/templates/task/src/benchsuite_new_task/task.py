"""The task `new_task`: data, model, metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from benchsuite.contracts import LoadedTask, Options, Ragged, Split, Task
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body

ROWS = {"train": 512, "validation": 128, "test": 128}
SHORTEST = 3


class NewTask(Task):
    """Real steps of a random walk; the class says whether their sum is above zero."""

    def load(self, source: str, options: Options) -> LoadedNewTask:
        """Equal arguments give equal data: the random numbers have one seed, and no sequence comes twice."""
        random = np.random.default_rng(0)
        longest = options.integer("longest")
        train, validation, test = (_walks(random, rows, longest) for rows in ROWS.values())
        likeliest = np.bincount(train.row_targets).argmax()
        return LoadedNewTask(
            name=f"new_task/{source}",
            train=train,
            validation=validation,
            test=test,
            baselines={"majority": {"accuracy": float(np.mean(test.row_targets == likeliest))}},
            licence="CC0-1.0",
        )


@dataclass(frozen=True, kw_only=True)
class LoadedNewTask(LoadedTask):
    """Two classes for each row; what model or metric must know of the data are further fields here."""

    primary = "accuracy"
    higher_is_better = True

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """One real input, a recurrent stack, its last output, two logits."""
        body = recurrent_body(architecture, cell, size)
        return ModelSpec(Features(1), body, Dense(2), "cross_entropy")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """The share of rows of logits (n, 2) whose largest is the target's."""
        return {"accuracy": float(np.mean(predictions.argmax(axis=1) == split.row_targets))}


def _walks(random: np.random.Generator, rows: int, longest: int) -> Split:
    """Inputs (length, 1) of several lengths, targets (rows,) int32."""
    lengths = random.integers(SHORTEST, longest + 1, rows)
    walks = [random.standard_normal((length, 1)) for length in lengths]
    targets = np.array([walk.sum() > 0 for walk in walks], np.int32)
    return Split(Ragged.from_sequences(walks), targets)
