"""The sequences of selective copying, drawn at random and the same on every machine; none is in two splits."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.data import rows_apart

_SEED = 2023


def sequences(count: int, length: int, symbols: int, letters: int, part: int) -> Split:
    """`count` sequences of length + symbols ids, int32, with a target id, int32, at every step.

    Ids: letters from 0, then the blank (noise as an input), then the mark, which is never a target.

    :param part: number of the split: 0 training, 1 validation, 2 test.

    Raises RequestError where there are too few sequences to keep the splits apart.
    """
    blank, mark = letters, letters + 1

    def draw(random: np.random.RandomState, rows: int) -> np.ndarray:
        shown = random.randint(letters, size=(rows, symbols))
        places = np.argsort(random.random_sample((rows, length)), axis=1)[:, :symbols]
        inputs = np.full((rows, length + symbols), blank)
        inputs[:, length:] = mark
        np.put_along_axis(inputs, places, shown, axis=1)
        return inputs

    inputs = rows_apart(draw, count, part, _SEED)
    targets = np.full_like(inputs, blank)
    targets[:, length:] = inputs[inputs < blank].reshape(count, symbols)
    return Split(Ragged.from_dense(inputs), Ragged.from_dense(targets))
