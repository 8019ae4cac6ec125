"""The task `selective_copy`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Split, Task
from benchsuite.data import classification_metrics
from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_selective_copy.sequences import sequences

VALIDATION, TEST = 500, 1000
"""Sequences in these splits, whatever the options say."""

_SOLVED = 0.99
_SHOWN = 2


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
            length=length,
            letters=letters,
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


@dataclass(frozen=True, kw_only=True)
class LoadedSelectiveCopy(LoadedTask):
    """Classification of every step; `recall_accuracy` ranks.

    length   steps among which the letters lie; the recall follows
    letters  different ones; the id after theirs is the blank
    """

    primary = "recall_accuracy"
    higher_is_better = True

    length: int
    letters: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, at every step a score for each letter and for the blank."""
        return ModelSpec(
            input=Tokens(len(self.vocabulary), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(self.letters + 1),
            loss="cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """recall_accuracy, cross_entropy, accuracy, row_accuracy and length_solved of scores
        (n, length + symbols, letters + 1).

        recall_accuracy  over the steps of the recall, where the letters are
        row_accuracy     share of sequences whose letters are all recalled
        cross_entropy    nats per step, over all steps, as in training
        accuracy         over all steps: a blank everywhere has a high one
        length_solved    `length` where recall_accuracy is above .99, else 0
        """
        truth = split.step_targets.to_dense()
        everywhere = classification_metrics(predictions.reshape(truth.size, -1), truth.reshape(-1))
        recalled = predictions[:, self.length :].argmax(axis=2) == truth[:, self.length :]
        recall = float(np.mean(recalled))
        return {
            "recall_accuracy": recall,
            "row_accuracy": float(np.mean(recalled.all(axis=1))),
            "cross_entropy": everywhere["cross_entropy"],
            "accuracy": everywhere["accuracy"],
            "length_solved": float(self.length) if recall > _SOLVED else 0.0,
        }

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The first sequences: the source, the letters to be recalled, and those predicted."""
        texts = np.array(self.vocabulary)
        truth, answers = split.step_targets.to_dense(), predictions.argmax(axis=2)
        return [
            Exhibit(
                name=f"sequence {row + 1}",
                kind="text",
                lines={
                    "source": texts[split.inputs[row]].tolist(),
                    "target": texts[truth[row, self.length :]].tolist(),
                    "prediction": texts[answers[row, self.length :]].tolist(),
                },
            )
            for row in range(min(_SHOWN, len(split)))
        ]
