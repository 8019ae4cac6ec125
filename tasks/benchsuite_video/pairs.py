"""The task `video_pairs`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.data import classification_metrics, majority_baseline
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Size, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_video.exhibits import frames_side_by_side
from benchsuite_video.sources import load_films

PAIRS = tuple(combinations_with_replacement(range(10), 2))
"""The 55 classes: two digits, the smaller one first. Of two different digits they are twice as likely."""

_SHOWN = 4


class VideoPairs(Task):
    """Which two digits move in a film; `accuracy` ranks."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Films, (T, pixels) float32 in [0, 1] each; targets (n,) int32, index into PAIRS."""
        films = load_films("video_pairs", source, options)
        train, validation, test = (
            Split(Ragged.from_dense(reel.frames), pair_classes(reel.digits))
            for reel in (films.train, films.validation, films.test)
        )
        assert isinstance(train.targets, np.ndarray)
        assert isinstance(test.targets, np.ndarray)
        majority = majority_baseline(train.targets, test.targets, len(PAIRS))
        return Dataset(
            name=f"video_pairs/{source}",
            train=train,
            validation=validation,
            test=test,
            metadata={"classes": len(PAIRS), "side": films.side},
            baselines={"majority": majority},
            licence=films.licence,
        )

    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """A recurrent stack, its last or mean output, 55 logits."""
        return ModelSpec(
            input=Features(dataset.train.inputs.values.shape[1]),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(PAIRS)),
            loss="cross_entropy",
            readout="mean" if options["readout"] == "mean" else "last",
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        """accuracy, macro_f1 and cross_entropy of logits (n, 55), and digit_accuracy: the share of the digits
        shown that are in the pair named."""
        assert isinstance(split.targets, np.ndarray)
        found = classification_metrics(predictions, split.targets)
        return found | {"digit_accuracy": digit_accuracy(predictions.argmax(axis=1), split.targets)}

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """First, middle and last frame of the first films, with what they show and what was recognised."""
        assert isinstance(split.targets, np.ndarray)
        shown = []
        for row in range(min(_SHOWN, len(split))):
            frames, side = split.inputs[row], dataset.metadata["side"]
            true, named = (PAIRS[index] for index in (split.targets[row], predictions[row].argmax()))
            name = f"{true[0]} and {true[1]}, recognised as {named[0]} and {named[1]}"
            chosen = {"first": frames[0], "middle": frames[len(frames) // 2], "last": frames[-1]}
            shown.append(frames_side_by_side(name, chosen, side))
        return shown


def pair_classes(digits: np.ndarray) -> np.ndarray:
    """(n, 2) digits in any order -> (n,) int32 index into PAIRS."""
    index = np.zeros((10, 10), np.int32)
    for number, (low, high) in enumerate(PAIRS):
        index[low, high] = index[high, low] = number
    classes: np.ndarray = index[digits[:, 0], digits[:, 1]]
    return classes


def digit_accuracy(named: np.ndarray, true: np.ndarray) -> float:
    """Mean share of the two digits of class `true` (n,) that are among those of class `named`, counted with
    repetition: 3 and 3 for 3 and 5 is a half."""
    counts = np.array([np.bincount(pair, minlength=10) for pair in PAIRS])
    return float(np.minimum(counts[named], counts[true]).sum(axis=1).mean() / 2)
