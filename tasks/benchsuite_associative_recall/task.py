"""The task `associative_recall`: data, model, metrics."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Options, Task
from benchsuite.data import LoadedRecall
from benchsuite.errors import RequestError
from benchsuite_associative_recall.sequences import sequences

VALIDATION, TEST = 500, 500
"""Sequences in these splits, whatever the options say."""


class AssociativeRecall(Task):
    """Multi-query associative recall, generated."""

    def load(self, source: str, options: Options) -> LoadedAssociativeRecall:
        """Sequences of `length` ids, int32; a target id at every step.

        Raises RequestError where the pairs and their queries have no room, or keys are too few, and where
        there are too few sequences to keep the splits apart.
        """
        pairs, length, vocabulary = (options.integer(name) for name in ("pairs", "length", "vocabulary"))
        if length < 3 * pairs:
            raise RequestError(
                f"associative_recall: {pairs} pairs and their queries need {3 * pairs} steps; length is "
                f"{length}"
            )
        values = vocabulary // 2
        if values < pairs:
            raise RequestError(
                f"associative_recall: {pairs} pairs need as many different keys; a vocabulary of {vocabulary} "
                f"has {values} (half of it)"
            )
        sizes = (options.integer("examples"), VALIDATION, TEST)
        train, validation, test = (
            sequences(size, length, pairs, values, part) for part, size in enumerate(sizes)
        )
        keys, shown = ([f"{kind}{at}" for at in range(values)] for kind in "kv")
        return LoadedAssociativeRecall(
            name=f"associative_recall/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=(*keys, *shown, "_"),
            answers=(*shown, "_"),
            difficulty=pairs,
            baselines={
                "without_memory": {
                    "recall_accuracy": 1 / values,
                    "cross_entropy": _without_memory(length, pairs, values),
                },
                "any_value_shown": {"recall_accuracy": 1 / pairs},
            },
            licence="generated; no rights reserved",
        )


def _without_memory(length: int, pairs: int, values: int) -> float:
    """Nats per step of a model that tells keys of the pairs from queries by their step, and nothing else."""
    return pairs * float(np.log(values)) / length


class LoadedAssociativeRecall(LoadedRecall):
    """Classification of every step; `recall_accuracy` ranks. `pairs_solved`: keys shown with a value."""

    primary = "recall_accuracy"
    higher_is_better = True
    measure = "pairs"
