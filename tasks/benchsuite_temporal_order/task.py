"""The task `temporal_order`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from benchsuite.contracts import Dataset, Split, Task
from benchsuite.data import classification_metrics, majority_baseline, whole_number
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_temporal_order.sequences import LETTERS, SHARES, places, sequences

VALIDATION, TEST = 1000, 2000
"""Sequences in these splits, whatever the options say."""

_SOLVED = 0.99
_SHORTEST = 10


class TemporalOrder(Task):
    """Four or eight classes; `accuracy` ranks."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Letters as ids, (steps,) int32 each; targets (n,) int32.

        metadata: `classes`, their number; `orders`, what each one stands for; `lag`, the fewest steps from the
        first X or Y to the answer.
        """
        if source != "generated":
            raise UnknownNameError("source of temporal_order", source, ["generated"])
        length = whole_number("temporal_order", options, "length", _SHORTEST)
        symbols = whole_number("temporal_order", options, "symbols", 2)
        if symbols not in SHARES:
            raise RequestError(f"temporal_order: option symbols is {symbols}; it must be 2 or 3")
        sizes = (whole_number("temporal_order", options, "examples", 1), VALIDATION, TEST)
        train, validation, test = (sequences(size, length, symbols, part) for part, size in enumerate(sizes))
        assert isinstance(train.targets, np.ndarray)
        assert isinstance(test.targets, np.ndarray)
        orders = tuple("".join(order) for order in product("XY", repeat=symbols))
        return Dataset(
            name="temporal_order/generated",
            train=train,
            validation=validation,
            test=test,
            vocabulary=LETTERS,
            metadata={
                "classes": len(orders),
                "orders": orders,
                "lag": length - 1 - places(length, symbols)[0][1],
            },
            baselines={"majority": majority_baseline(train.targets, test.targets, len(orders))},
            licence="generated; no rights reserved",
        )

    def model(
        self,
        dataset: Dataset,
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
        """Embedding, recurrent stack, its last output, a score for each order.

        The paper's one-hot inputs are an embedding that is not trained.
        """
        return ModelSpec(
            input=Tokens(len(LETTERS), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(dataset.metadata["classes"]),
            loss="cross_entropy",
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:
        """accuracy, macro_f1 and cross_entropy of scores (n, classes), and lag_solved: the lag in steps where
        accuracy is above .99, else 0."""
        assert isinstance(split.targets, np.ndarray)
        found = classification_metrics(predictions, split.targets)
        lag = float(dataset.metadata["lag"])
        return {**found, "lag_solved": lag if found["accuracy"] > _SOLVED else 0.0}

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """Which order is taken for which."""
        assert isinstance(split.targets, np.ndarray)
        count = dataset.metadata["classes"]
        counts = np.zeros((count, count))
        np.add.at(counts, (split.targets, predictions.argmax(axis=1)), 1)
        orders = list(dataset.metadata["orders"])
        return [
            Exhibit(
                name="orders", kind="confusion", lines={"classes": orders}, tables={"counts": counts.tolist()}
            )
        ]
