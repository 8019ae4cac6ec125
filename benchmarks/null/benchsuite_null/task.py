"""Zeros in, zeros out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body
from benchsuite.schema.trial import Scalar

ROWS, TIME = 8, 4


class NullTask(Task):
    primary = "mse"
    higher_is_better = False

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:  # noqa: ARG002
        split = Split(Ragged.from_dense(np.zeros((ROWS, TIME, 1))), np.zeros((ROWS, 1)))
        return Dataset("null", split, split, split)

    def model(
        self,
        dataset: Dataset,  # noqa: ARG002
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
        return ModelSpec(Features(1), recurrent_body(architecture, cell, size), Dense(1), "squared")

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        assert isinstance(split.targets, np.ndarray)
        return {"mse": float(np.mean((predictions - split.targets) ** 2))}
