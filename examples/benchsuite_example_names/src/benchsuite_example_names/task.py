"""Names as sequences of letters: the data, their split, the model and its metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Alignments, LoadedTask, Options, Ragged, Split, Task
from benchsuite.data import fetch, fixed_order
from benchsuite.errors import DataError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_example_names import NAMES
from benchsuite_example_names.ngrams import baselines

MARK = 0
"""The id that is read before the first letter, and asked for after the last one. Letters a to z are 1 to 26."""
SYMBOLS = (".", *"abcdefghijklmnopqrstuvwxyz")
SHARES = (0.8, 0.1)
"""The training and the validation split; the rest is the test split."""


class NamesTask(Task):
    def load(self, source: str, options: Options) -> LoadedTask:
        if source == "makemore":
            names, licence = _downloaded(), NAMES.licence
        else:
            names, licence = _generated(options.integer("names")), ""
        names = [names[row] for row in fixed_order(len(names), seed=0)]
        first, second = (round(len(names) * share) for share in (SHARES[0], sum(SHARES)))
        train, validation, test = (
            _split(part) for part in (names[:first], names[first:second], names[second:])
        )
        return LoadedNames(
            name=f"names/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=SYMBOLS,
            baselines=baselines(train.step_targets, test.step_targets, len(SYMBOLS)),
            licence=licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedNames(LoadedTask):
    """A letter or the end is asked for at every step."""

    primary = "bits_per_character"
    higher_is_better = False

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        return ModelSpec(
            Tokens(len(SYMBOLS), size.embedding),
            recurrent_body(architecture, cell, size),
            Dense(len(SYMBOLS), tied=size.tied),
            "cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        targets = split.step_targets
        scores = _real_steps(predictions, targets.lengths)
        return {
            "bits_per_character": float(np.mean(_bits(scores, targets.flat()))),
            "accuracy": float(np.mean(scores.argmax(axis=1) == targets.flat())),
        }

    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:  # noqa: ARG002
        """How hard each place of a name is."""
        targets = split.step_targets
        bits = _bits(_real_steps(predictions, targets.lengths), targets.flat())
        place = np.concatenate([np.arange(length) for length in targets.lengths])
        points = [[float(at + 1), float(np.mean(bits[place == at]))] for at in np.unique(place)]
        return [
            Exhibit(
                name="bits by place",
                kind="curve",
                lines={"x": ["place in the name"], "y": ["bits per character"]},
                tables={"model": points},
            )
        ]


def _real_steps(predictions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(sum of lengths, C): the scores (n, T, C) without those of padding, row by row."""
    inside = np.arange(predictions.shape[1]) < lengths[:, None]
    found: np.ndarray = predictions[inside]
    return found


def _bits(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """-log2 of the probability of each target: scores (N, C) are logits, targets (N,) ids."""
    scores = scores.astype(np.float64)
    largest = scores.max(axis=1, keepdims=True)
    total = np.log(np.exp(scores - largest).sum(axis=1)) + largest[:, 0]
    bits: np.ndarray = (total - scores[np.arange(len(targets)), targets]) / np.log(2)
    return bits


def _downloaded() -> list[str]:
    """The distinct names of the file, in the order of the alphabet."""
    names = sorted(set(fetch(NAMES).read_text(encoding="ascii").split()))
    strange = [name for name in names if not set(name) <= set(SYMBOLS[1:])]
    if strange:
        raise DataError(f"{NAMES.name}: a name may hold the letters a to z alone, found {strange[0]!r}")
    return names


def _generated(count: int) -> list[str]:
    """`count` distinct names of 2 to 4 syllables, in the order of the alphabet."""
    random = np.random.RandomState(0)
    consonants, vowels = list("bdfgklmnprstvz"), list("aeiou")
    names: set[str] = set()
    while len(names) < count:
        syllables = random.randint(2, 5)
        names.add("".join(random.choice(consonants) + random.choice(vowels) for _ in range(syllables)))
    return sorted(names)


def _split(names: Iterable[str]) -> Split:
    """Inputs are the mark and the letters of a name, targets the letters and the mark."""
    rows = [np.array([SYMBOLS.index(letter) for letter in name], np.int32) for name in names]
    mark = np.array([MARK], np.int32)
    inputs = Ragged.from_sequences([np.concatenate([mark, row]) for row in rows])
    return Split(inputs, Ragged.from_sequences([np.concatenate([row, mark]) for row in rows]))
