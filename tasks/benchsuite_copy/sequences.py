"""The sequences of the copy memory problem, drawn at random and the same on every machine."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split

LETTERS = tuple("abcdefgh")
BLANK = len(LETTERS)
"""Id of the blank; the letters' ids come before it."""
DELIMITER = BLANK + 1
"""Id that asks for the recall; it is never a target."""

_SEED = 2016


def sequences(count: int, length: int, symbols: int, part: int) -> Split:
    """`count` sequences of length + 2 * symbols ids, int32, with a target id, int32, at every step.

    :param part: number of the split; each one has a stream of its own, so that no split depends on how many
        sequences another one has.
    """
    random = np.random.RandomState([_SEED, part])  # its stream is frozen, so these sequences never change
    shown = random.randint(len(LETTERS), size=(count, symbols))
    inputs = np.full((count, length + 2 * symbols), BLANK, np.int32)
    targets = inputs.copy()
    inputs[:, :symbols] = shown
    inputs[:, symbols + length - 1] = DELIMITER
    targets[:, -symbols:] = shown
    return Split(Ragged.from_dense(inputs), Ragged.from_dense(targets))
