"""The task `selective_copy`: data, model, metrics."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Options, Task
from benchsuite.data import LoadedRecall
from benchsuite.errors import RequestError
from benchsuite_selective_copy.sequences import sequences

VALIDATION, TEST = 500, 1000
"""Sequences in these splits, whatever the options say."""


class SelectiveCopy(Task):
    """Selective copying, generated."""

    def load(self, source: str, options: Options) -> LoadedSelectiveCopy:
        """Sequences of length + symbols ids, int32; a target id at every step.

        Raises RequestError for more symbols than there are places, and where there are too few sequences to
        keep the splits apart.
        """
        length, symbols, letters = (options.integer(name) for name in ("length", "symbols", "letters"))
        if symbols > length:
            raise RequestError(
                f"selective_copy: {symbols} symbols have no room in a length of {length}; symbols may be at "
                "most length"
            )
        sizes = (options.integer("examples"), VALIDATION, TEST)
        train, validation, test = (
            sequences(size, length, symbols, letters, part) for part, size in enumerate(sizes)
        )
        return LoadedSelectiveCopy(
            name=f"selective_copy/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=(*_names(letters), "_", "?"),
            answers=(*_names(letters), "_"),
            difficulty=length,
            baselines={
                "without_memory": {
                    "recall_accuracy": 1 / letters,
                    "cross_entropy": symbols * float(np.log(letters)) / (length + symbols),
                }
            },
            licence="generated; no rights reserved",
        )


def _names(letters: int) -> list[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return list(alphabet[:letters]) if letters <= len(alphabet) else [f"s{at}" for at in range(letters)]


class LoadedSelectiveCopy(LoadedRecall):
    """Classification of every step; `recall_accuracy` ranks. `length_solved`: the steps among which the letters
    lie."""

    primary = "recall_accuracy"
    higher_is_better = True
    measure = "length"
