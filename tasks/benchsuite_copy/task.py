"""The task `copy`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Split, Task
from benchsuite.data import classification_metrics
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_copy.sequences import BLANK, DELIMITER, LETTERS, sequences

VALIDATION, TEST = 500, 1000
"""Sequences in these splits, whatever the options say."""

_SOLVED = 0.99
_SHOWN = 2


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
            symbols=symbols,
            lag=length + symbols,
            baselines={
                "without_memory": {
                    "cross_entropy": symbols * float(np.log(len(LETTERS))) / time,
                    "recall_accuracy": 1 / len(LETTERS),
                }
            },
            licence="generated; no rights reserved",
        )


@dataclass(frozen=True, kw_only=True)
class LoadedCopy(LoadedTask):
    """Classification of every step; `cross_entropy` ranks.

    symbols  letters to be recalled
    lag      time steps from a letter to its recall
    """

    primary = "cross_entropy"
    higher_is_better = False

    symbols: int
    lag: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, at every step a score for each letter and for the blank.

        The papers' one-hot inputs are an embedding that is not trained.
        """
        return ModelSpec(
            input=Tokens(DELIMITER + 1, size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(BLANK + 1),
            loss="cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """cross_entropy, accuracy, recall_accuracy and lag_solved of scores (n, T, 9).

        cross_entropy    nats per step, over all steps, as in training
        accuracy         over all steps: a blank everywhere has a high one
        recall_accuracy  over the last `symbols` steps, where the letters are
        lag_solved       the lag in steps where recall_accuracy is above .99, else 0
        """
        truth = split.step_targets.to_dense()
        everywhere = classification_metrics(predictions.reshape(truth.size, -1), truth.reshape(-1))
        recalled = predictions[:, -self.symbols :].argmax(axis=2) == truth[:, -self.symbols :]
        recall = float(np.mean(recalled))
        return {
            "cross_entropy": everywhere["cross_entropy"],
            "accuracy": everywhere["accuracy"],
            "recall_accuracy": recall,
            "lag_solved": float(self.lag) if recall > _SOLVED else 0.0,
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
                    "target": texts[truth[row, -self.symbols :]].tolist(),
                    "prediction": texts[answers[row, -self.symbols :]].tolist(),
                },
            )
            for row in range(min(_SHOWN, len(split)))
        ]
