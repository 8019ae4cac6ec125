"""The task `copy`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.data import classification_metrics, whole_number
from benchsuite.errors import UnknownNameError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_copy.sequences import BLANK, DELIMITER, LETTERS, sequences

VALIDATION, TEST = 500, 1000
"""Sequences in these splits, whatever the options say."""

_SOLVED = 0.99
_SHOWN = 2


class Copy(Task):
    """Classification of every step; `cross_entropy` ranks."""

    primary = "cross_entropy"
    higher_is_better = False

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Sequences of length + 2 * symbols ids, int32; a target id at every step.

        metadata: `symbols`; `lag`, the steps from a letter to its recall.
        """
        if source != "generated":
            raise UnknownNameError("source of copy", source, ["generated"])
        length = whole_number("copy", options, "length", 1)
        symbols = whole_number("copy", options, "symbols", 1)
        sizes = (whole_number("copy", options, "examples", 1), VALIDATION, TEST)
        train, validation, test = (sequences(size, length, symbols, part) for part, size in enumerate(sizes))
        time = length + 2 * symbols
        return Dataset(
            name="copy/generated",
            train=train,
            validation=validation,
            test=test,
            vocabulary=(*LETTERS, "_", "?"),
            metadata={"symbols": symbols, "lag": length + symbols},
            baselines={
                "without_memory": {
                    "cross_entropy": symbols * float(np.log(len(LETTERS))) / time,
                    "recall_accuracy": 1 / len(LETTERS),
                }
            },
            licence="generated; no rights reserved",
        )

    def model(
        self,
        dataset: Dataset,  # noqa: ARG002
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
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

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:
        """cross_entropy, accuracy, recall_accuracy and lag_solved of scores (n, T, 9).

        cross_entropy    nats a step, over all steps, as in training
        accuracy         over all steps: a blank everywhere has a high one
        recall_accuracy  over the last `symbols` steps, where the letters are
        lag_solved       the lag in steps where recall_accuracy is above .99, else 0
        """
        truth = _targets(split)
        symbols = dataset.metadata["symbols"]
        everywhere = classification_metrics(predictions.reshape(truth.size, -1), truth.reshape(-1))
        recalled = predictions[:, -symbols:].argmax(axis=2) == truth[:, -symbols:]
        recall = float(np.mean(recalled))
        return {
            "cross_entropy": everywhere["cross_entropy"],
            "accuracy": everywhere["accuracy"],
            "recall_accuracy": recall,
            "lag_solved": float(dataset.metadata["lag"]) if recall > _SOLVED else 0.0,
        }

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """The first sequences: what was shown, what was to be recalled, and what was."""
        assert dataset.vocabulary is not None
        texts, symbols = np.array(dataset.vocabulary), dataset.metadata["symbols"]
        truth, answers = _targets(split), predictions.argmax(axis=2)
        return [
            Exhibit(
                name=f"sequence {row + 1}",
                kind="text",
                lines={
                    "source": texts[split.inputs[row]].tolist(),
                    "target": texts[truth[row, -symbols:]].tolist(),
                    "prediction": texts[answers[row, -symbols:]].tolist(),
                },
            )
            for row in range(min(_SHOWN, len(split)))
        ]


def _targets(split: Split) -> np.ndarray:
    """(n, T): all sequences are of one length."""
    assert isinstance(split.targets, Ragged)
    return split.targets.padded(np.arange(len(split)), int(split.targets.lengths[0]))
