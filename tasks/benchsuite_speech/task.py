"""The task `speech`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, Options, Ragged, Split, Task
from benchsuite.data import CLASSIFIER_READOUTS, Classification, classification_metrics, majority_baseline
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Readout, Size, recurrent_body
from benchsuite_speech.average import average_scores
from benchsuite_speech.exhibits import spectrogram
from benchsuite_speech.settings import load_clips, log_mel

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_SHOWN = 4


class Speech(Task):
    """Spoken digits, one by one."""

    def load(self, source: str, options: Options) -> LoadedSpeech:
        """Clips as log-mel frames, (frames, bands) float32 each; targets (n,) int32, the digit."""
        clips, rows = load_clips(source, options)
        features = log_mel(options)
        train, validation, test = (
            Split(Ragged.from_sequences([features(clips.waves[row]) for row in part]), clips.digits[part])
            for part in rows
        )
        seen, truth = clips.digits[rows[0]], clips.digits[rows[2]]
        order_free = average_scores(train.inputs, seen, test.inputs)
        return LoadedSpeech(
            name=f"speech/{source}",
            train=train,
            validation=validation,
            test=test,
            classes=WORDS,
            readout=options.one_of("readout", CLASSIFIER_READOUTS),
            baselines={
                "majority": majority_baseline(seen, truth, len(WORDS)),
                "average_spectrum": classification_metrics(order_free, truth),
            },
            licence=clips.licence,
            origin=f"{clips.content} {features.recipe}",
        )


@dataclass(frozen=True, kw_only=True)
class LoadedSpeech(Classification):
    """Ten classes; `accuracy` ranks.

    readout  what the classifier sees of the outputs
    """

    readout: Readout

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack, its last or mean output, ten logits."""
        return ModelSpec(
            input=Features(self.train.inputs.values.shape[1]),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(self.classes)),
            loss="cross_entropy",
            readout=self.readout,
        )

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """Which digit was taken for which, and spectrograms of the first clips that were misheard."""
        heard, spoken = predictions.argmax(axis=1), split.row_targets
        missed = np.flatnonzero(heard != spoken)[:_SHOWN]
        return [
            self.confusion("digits heard, by the digit spoken", predictions, split),
            *(
                spectrogram(f"{WORDS[spoken[row]]}, heard as {WORDS[heard[row]]}", split.inputs[row])
                for row in missed
            ),
        ]
