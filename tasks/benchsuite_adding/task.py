"""The task `adding`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Split, Task
from benchsuite.data import whole_number
from benchsuite.errors import UnknownNameError
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_adding.sequences import sequences

VALIDATION, TEST = 1000, 2000
"""Sequences in these splits, whatever the options say."""

PUBLISHED = 0.1767
"""Mean squared error of always answering 1, as Le et al. 2015 and those after them print it; its expectation
is 1/6."""

_SOLVED = 0.01
_CORRECT = 0.08


class Adding(Task):
    """Regression of one number; `mse` ranks."""

    primary = "mse"
    higher_is_better = False

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Sequences (length, 2) float32; targets (n, 1) float32.

        metadata: `lag`, the fewest steps from the first marked number to the answer.
        """
        if source != "generated":
            raise UnknownNameError("source of adding", source, ["generated"])
        length = whole_number("adding", options, "length", 2)
        sizes = (whole_number("adding", options, "examples", 1), VALIDATION, TEST)
        train, validation, test = (sequences(size, length, part) for part, size in enumerate(sizes))
        assert isinstance(test.targets, np.ndarray)
        ones = np.ones_like(test.targets)
        return Dataset(
            name="adding/generated",
            train=train,
            validation=validation,
            test=test,
            metadata={"lag": length - length // 2},
            baselines={"constant": _errors(ones, test.targets), "constant_published": {"mse": PUBLISHED}},
            licence="generated; no rights reserved",
        )

    def model(
        self,
        dataset: Dataset,  # noqa: ARG002
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
        """A recurrent stack, its last output, one number."""
        body = recurrent_body(architecture, cell, size)
        return ModelSpec(input=Features(2), body=body, head=Dense(1), loss="squared")

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:
        """mse, correct and lag_solved of sums (n, 1).

        correct     share of sums that are off by less than .08. Hochreiter and Schmidhuber's bound is .04, for
                    a target that is half the sum
        lag_solved  the lag in steps where mse is below .01, else 0
        """
        assert isinstance(split.targets, np.ndarray)
        found = _errors(predictions, split.targets)
        return found | {"lag_solved": float(dataset.metadata["lag"]) if found["mse"] < _SOLVED else 0.0}


def _errors(sums: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    error = sums.astype(np.float64) - truth.astype(np.float64)
    return {"mse": float(np.mean(error**2)), "correct": float(np.mean(np.abs(error) < _CORRECT))}
