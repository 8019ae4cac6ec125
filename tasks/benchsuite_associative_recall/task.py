"""The task `associative_recall`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Split, Task
from benchsuite.data import classification_metrics
from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_associative_recall.sequences import sequences

VALIDATION, TEST = 500, 500
"""Sequences in these splits, whatever the options say."""

_SOLVED = 0.99
_SHOWN = 2


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
        return LoadedAssociativeRecall(
            name=f"associative_recall/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=(*(f"k{at}" for at in range(values)), *(f"v{at}" for at in range(values)), "_"),
            pairs=pairs,
            values=values,
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


@dataclass(frozen=True, kw_only=True)
class LoadedAssociativeRecall(LoadedTask):
    """Classification of every step; `recall_accuracy` ranks.

    pairs   keys shown with a value
    values  different values; as a target, the id after theirs is the blank
    """

    primary = "recall_accuracy"
    higher_is_better = True

    pairs: int
    values: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, at every step a score for each value and for the blank."""
        return ModelSpec(
            input=Tokens(len(self.vocabulary), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(self.values + 1),
            loss="cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """recall_accuracy, cross_entropy, accuracy and pairs_solved of scores (n, length, values + 1).

        recall_accuracy  over the queries
        cross_entropy    nats per step, over all steps, as in training
        accuracy         over all steps: a blank everywhere has a high one
        pairs_solved     `pairs` where recall_accuracy is above .99, else 0
        """
        truth = split.step_targets.to_dense()
        everywhere = classification_metrics(predictions.reshape(truth.size, -1), truth.reshape(-1))
        asked = truth < self.values
        recall = float(np.mean(predictions.argmax(axis=2)[asked] == truth[asked]))
        return {
            "recall_accuracy": recall,
            "cross_entropy": everywhere["cross_entropy"],
            "accuracy": everywhere["accuracy"],
            "pairs_solved": float(self.pairs) if recall > _SOLVED else 0.0,
        }

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The first sequences: the source, the values asked for, and those predicted."""
        texts = np.array(self.vocabulary)
        names = np.array([*self.vocabulary[self.values : 2 * self.values], "_"])
        truth, answers = split.step_targets.to_dense(), predictions.argmax(axis=2)
        asked = truth < self.values
        return [
            Exhibit(
                name=f"sequence {row + 1}",
                kind="text",
                lines={
                    "source": texts[split.inputs[row]].tolist(),
                    "target": names[truth[row, asked[row]]].tolist(),
                    "prediction": names[answers[row, asked[row]]].tolist(),
                },
            )
            for row in range(min(_SHOWN, len(split)))
        ]
