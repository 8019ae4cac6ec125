"""The task `copy`: data, model, metrics."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Options, Task
from benchsuite.data import LoadedRecall
from benchsuite_copy.sequences import LETTERS, sequences

VALIDATION, TEST = 500, 1000
"""Sequences in these splits, whatever the options say."""


class Copy(Task):
    """The copy memory problem, generated."""

    def load(self, source: str, options: Options) -> LoadedCopy:
        """Sequences of length + 2 * symbols ids, int32; a target id at every step."""
        length, symbols = options.integer("length"), options.integer("symbols")
        sizes = (options.integer("examples"), VALIDATION, TEST)
        train, validation, test = (sequences(size, length, symbols, part) for part, size in enumerate(sizes))
        time = length + 2 * symbols
        return LoadedCopy(
            name=f"copy/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=(*LETTERS, "_", "?"),
            answers=(*LETTERS, "_"),
            difficulty=length + symbols,
            baselines={
                "without_memory": {
                    "cross_entropy": symbols * float(np.log(len(LETTERS))) / time,
                    "recall_accuracy": 1 / len(LETTERS),
                }
            },
            licence="generated; no rights reserved",
        )


class LoadedCopy(LoadedRecall):
    """Classification of every step; `cross_entropy` ranks. `lag_solved`: the time steps from a letter to its
    recall.

    The papers' one-hot inputs are an embedding that is not trained.
    """

    primary = "cross_entropy"
    higher_is_better = False
    measure = "lag"
