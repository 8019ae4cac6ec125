"""The task `video_pairs`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, Options, Ragged, Split, Task
from benchsuite.data import CLASSIFIER_READOUTS, Classification, majority_baseline
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Readout, Size, recurrent_body
from benchsuite_video.exhibits import frames_side_by_side
from benchsuite_video.sources import load_films

DIGITS = 10


def pairs_of(kinds: int) -> tuple[tuple[int, int], ...]:
    """The classes, of the digits 0 to `kinds` - 1: two digits, the smaller one first; 55 of ten. Pairs of two
    different digits are twice as likely."""
    return tuple(combinations_with_replacement(range(kinds), 2))


PAIRS = pairs_of(DIGITS)

_SHOWN = 4


class VideoPairs(Task):
    """Films of two bouncing digits, and which two they are."""

    def load(self, source: str, options: Options) -> LoadedVideoPairs:
        """Films, (T, pixels) float32 in [0, 1] each; targets (n,) int32, index into pairs_of()."""
        kinds = options.integer("kinds")
        films = load_films(source, options, kinds)
        train, validation, test = (
            Split(Ragged.from_dense(part.frames), pair_classes(part.digits, kinds))
            for part in (films.train, films.validation, films.test)
        )
        majority = majority_baseline(train.row_targets, test.row_targets, len(pairs_of(kinds)))
        return LoadedVideoPairs(
            name=f"video_pairs/{source}",
            train=train,
            validation=validation,
            test=test,
            classes=tuple(f"{low} and {high}" for low, high in pairs_of(kinds)),
            side=films.side,
            kinds=kinds,
            readout=options.one_of("readout", CLASSIFIER_READOUTS),
            baselines={"majority": majority},
            licence=films.licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedVideoPairs(Classification):
    """Which two digits move in a film; `accuracy` ranks.

    side     height and width of a frame in pixels
    kinds    how many different digits there are
    readout  what the classifier sees of the outputs
    """

    side: int
    kinds: int
    readout: Readout

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack, its last or mean output, one logit for each pair."""
        return ModelSpec(
            input=Features(self.side**2),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(self.classes)),
            loss="cross_entropy",
            readout=self.readout,
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """accuracy, macro_f1 and cross_entropy of logits (n, pairs), and digit_accuracy: the share of the
        digits shown that are in the pair named."""
        found = super().score(predictions, split)
        return found | {
            "digit_accuracy": digit_accuracy(predictions.argmax(axis=1), split.row_targets, self.kinds)
        }

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """First, middle and last frame of the first films, with what they show and what was recognised."""
        shown = []
        for row in range(min(_SHOWN, len(split))):
            frames = split.inputs[row]
            true, named = (
                self.classes[index] for index in (split.row_targets[row], predictions[row].argmax())
            )
            chosen = {"first": frames[0], "middle": frames[len(frames) // 2], "last": frames[-1]}
            shown.append(frames_side_by_side(f"{true}, recognised as {named}", chosen, self.side))
        return shown


def pair_classes(digits: np.ndarray, kinds: int = DIGITS) -> np.ndarray:
    """(n, 2) digits in any order -> (n,) int32 index into pairs_of(kinds)."""
    index = np.zeros((kinds, kinds), np.int32)
    for number, (low, high) in enumerate(pairs_of(kinds)):
        index[low, high] = index[high, low] = number
    classes: np.ndarray = index[digits[:, 0], digits[:, 1]]
    return classes


def digit_accuracy(named: np.ndarray, true: np.ndarray, kinds: int = DIGITS) -> float:
    """Mean share of the two digits of class `true` (n,) that are among those of class `named`, counted with
    repetition: 3 and 3 for 3 and 5 is a half."""
    counts = np.array([np.bincount(pair, minlength=10) for pair in pairs_of(kinds)])
    return float(np.minimum(counts[named], counts[true]).sum(axis=1).mean() / 2)
