"""The task `temporal_order`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, Options, Split, Task
from benchsuite.data import Classification, majority_baseline
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_temporal_order.sequences import LETTERS, places, sequences

VALIDATION, TEST = 1000, 2000
"""Sequences in these splits, whatever the options say."""

_SOLVED = 0.99


class TemporalOrder(Task):
    """The temporal order problem, generated."""

    def load(self, source: str, options: Options) -> LoadedTemporalOrder:
        """Letters as ids, (steps,) int32 each; targets (n,) int32."""
        length, symbols = options.integer("length"), options.integer("symbols")
        sizes = (options.integer("examples"), VALIDATION, TEST)
        train, validation, test = (sequences(size, length, symbols, part) for part, size in enumerate(sizes))
        orders = tuple("".join(order) for order in product("XY", repeat=symbols))
        return LoadedTemporalOrder(
            name=f"temporal_order/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=LETTERS,
            classes=orders,
            lag=length - 1 - places(length, symbols)[0][1],
            baselines={"majority": majority_baseline(train.row_targets, test.row_targets, len(orders))},
            licence="generated; no rights reserved",
        )


@dataclass(frozen=True, kw_only=True)
class LoadedTemporalOrder(Classification):
    """Four or eight classes, named by their order (`XY`); `accuracy` ranks.

    lag  fewest time steps from the first X or Y to the answer
    """

    lag: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, its last output, a score for each order.

        The paper's one-hot inputs are an embedding that is not trained.
        """
        return ModelSpec(
            input=Tokens(len(LETTERS), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(self.classes)),
            loss="cross_entropy",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """accuracy, macro_f1 and cross_entropy of scores (n, classes), and lag_solved: the lag in steps where
        accuracy is above .99, else 0."""
        found = super().score(predictions, split)
        return {**found, "lag_solved": float(self.lag) if found["accuracy"] > _SOLVED else 0.0}

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """Which order is taken for which."""
        return [self.confusion("orders", predictions, split)]
