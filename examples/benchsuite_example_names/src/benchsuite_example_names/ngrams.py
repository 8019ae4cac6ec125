"""What counting letters reaches: baselines that no network is needed for."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged

ADDED = 0.1
"""Added to every count, so that nothing has probability zero."""


def baselines(train: Ragged, test: Ragged, symbols: int) -> dict[str, dict[str, float]]:
    """Metrics on `test` of guessing by the letters before, counted in `train`. Id 0 begins and ends a name."""
    named = {"uniform": None, "letter frequencies": 0, "two letters": 1, "three letters": 2}
    return {name: _ngrams(train, test, symbols, before) for name, before in named.items()}


def _ngrams(train: Ragged, test: Ragged, symbols: int, before: int | None) -> dict[str, float]:
    """:param before: letters that the guess depends on; None: every symbol is equally likely."""
    counts = np.full((symbols ** (before or 0), symbols), ADDED)
    if before is not None:
        np.add.at(counts, (_contexts(train, symbols, before), train.flat()), 1)
    chances = counts / counts.sum(axis=1, keepdims=True)
    found = chances[_contexts(test, symbols, before or 0)]
    targets = test.flat()
    return {
        "bits_per_character": float(-np.mean(np.log2(found[np.arange(len(targets)), targets]))),
        "accuracy": float(np.mean(found.argmax(axis=1) == targets)),
    }


def _contexts(targets: Ragged, symbols: int, before: int) -> np.ndarray:
    """A number for the `before` symbols that precede each target, row by row."""
    numbers = []
    for row in range(len(targets)):
        padded = np.concatenate([np.zeros(before, np.int64), targets[row]])
        number = np.zeros(len(targets[row]), np.int64)
        for back in range(before):
            number = number * symbols + padded[back : back + len(number)]
        numbers.append(number)
    return np.concatenate(numbers)
