"""The task `adding`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import LoadedTask, Options, Split, Task
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body
from benchsuite_adding.sequences import sequences

VALIDATION, TEST = 1000, 2000
"""Sequences in these splits, whatever the options say."""

PUBLISHED = 0.1767
"""Mean squared error of always answering 1, as Le et al. 2015 and those after them print it; its expectation
is 1/6."""

_SOLVED = 0.01
_CORRECT = 0.08


class Adding(Task):
    """The adding problem, generated."""

    def load(self, source: str, options: Options) -> LoadedAdding:
        """Sequences (length, 2) float32; targets (n, 1) float32."""
        length = options.integer("length")
        sizes = (options.integer("examples"), VALIDATION, TEST)
        train, validation, test = (sequences(size, length, part) for part, size in enumerate(sizes))
        ones = np.ones_like(test.row_targets)
        return LoadedAdding(
            name=f"adding/{source}",
            train=train,
            validation=validation,
            test=test,
            lag=length - length // 2,
            baselines={
                "constant": _errors(ones, test.row_targets),
                "constant_published": {"mse": PUBLISHED},
            },
            licence="generated; no rights reserved",
        )


@dataclass(frozen=True, kw_only=True)
class LoadedAdding(LoadedTask):
    """Regression of one number; `mse` ranks.

    lag  fewest time steps from the first marked number to the answer
    """

    primary = "mse"
    higher_is_better = False

    lag: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack, its last output, one number."""
        body = recurrent_body(architecture, cell, size)
        return ModelSpec(input=Features(2), body=body, head=Dense(1), loss="squared")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """mse, correct and lag_solved of sums (n, 1).

        correct     share of sums that are off by less than .08. Hochreiter and Schmidhuber's bound is .04, for
                    a target that is half the sum
        lag_solved  the lag in steps where mse is below .01, else 0
        """
        found = _errors(predictions, split.row_targets)
        return found | {"lag_solved": float(self.lag) if found["mse"] < _SOLVED else 0.0}


def _errors(sums: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    error = sums.astype(np.float64) - truth.astype(np.float64)
    return {"mse": float(np.mean(error**2)), "correct": float(np.mean(np.abs(error) < _CORRECT))}
