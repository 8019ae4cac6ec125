"""Zeros in, zeros out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import LoadedTask, Options, Ragged, Split, Task
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body

ROWS, TIME = 8, 4


class NullTask(Task):
    @override
    def load(self, source: str, options: Options) -> LoadedNull:
        split = Split(Ragged.from_dense(np.zeros((ROWS, TIME, 1))), np.zeros((ROWS, 1)))
        return LoadedNull(name="null", train=split, validation=split, test=split)


@dataclass(frozen=True, kw_only=True)
class LoadedNull(LoadedTask):
    primary = "mse"
    higher_is_better = False

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        return ModelSpec(Features(1), recurrent_body(architecture, cell, size), Dense(1), "squared")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        return {"mse": float(np.mean((predictions - split.row_targets) ** 2))}
