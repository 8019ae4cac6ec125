"""The task `speech`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.data import classification_metrics, confusion, majority_baseline
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Size, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_speech.average import average_scores
from benchsuite_speech.exhibits import spectrogram
from benchsuite_speech.settings import load_clips, log_mel

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_SHOWN = 4


class Speech(Task):
    """Ten classes; `accuracy` ranks."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Clips as log-mel frames, (frames, bands) float32 each; targets (n,) int32, the digit."""
        clips, rows = load_clips("speech", source, options)
        features = log_mel("speech", options)
        train, validation, test = (
            Split(Ragged.from_sequences([features(clips.waves[row]) for row in part]), clips.digits[part])
            for part in rows
        )
        seen, truth = clips.digits[rows[0]], clips.digits[rows[2]]
        order_free = average_scores(train.inputs, seen, test.inputs)
        return Dataset(
            name=f"speech/{source}",
            train=train,
            validation=validation,
            test=test,
            metadata={"classes": len(WORDS)},
            baselines={
                "majority": majority_baseline(seen, truth, len(WORDS)),
                "average_spectrum": classification_metrics(order_free, truth),
            },
            licence=clips.licence,
        )

    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """A recurrent stack, its last or mean output, ten logits."""
        return ModelSpec(
            input=Features(dataset.train.inputs.values.shape[1]),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(WORDS)),
            loss="cross_entropy",
            readout="mean" if options["readout"] == "mean" else "last",
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        """accuracy, macro_f1 and cross_entropy of logits (n, 10)."""
        assert isinstance(split.targets, np.ndarray)
        return classification_metrics(predictions, split.targets)

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,  # noqa: ARG002
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """Which digit was taken for which, and spectrograms of the first clips that were misheard."""
        assert isinstance(split.targets, np.ndarray)
        heard = predictions.argmax(axis=1)
        missed = np.flatnonzero(heard != split.targets)[:_SHOWN]
        return [
            confusion("digits heard, by the digit spoken", heard, split.targets, WORDS),
            *(
                spectrogram(f"{WORDS[split.targets[row]]}, heard as {WORDS[heard[row]]}", split.inputs[row])
                for row in missed
            ),
        ]
