"""The sequences of associative recall, drawn at random and the same on every machine; none is in two splits."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.data import rows_apart

_SEED = 2312
_FILLER = -1
_AT_ONCE = 2**20
"""Random numbers that are sorted at once."""


def sequences(count: int, length: int, pairs: int, values: int, part: int) -> Split:
    """`count` sequences of `length` ids, int32, with a target id, int32, at every step.

    Input ids: keys from 0, as many values from `values`, then the filler, 2 * values. Target ids: values from
    0, then the blank, `values`.

    :param values: different values, and as many keys, at least `pairs`.
    :param part: number of the split: 0 training, 1 validation, 2 test.

    Raises RequestError where there are too few sequences to keep the splits apart.
    """
    shown = 2 * pairs

    def draw(random: np.random.RandomState, rows: int) -> np.ndarray:
        """Keys and values in turn, then the number of the pair asked for at each step, or the filler."""
        found = np.full((rows, length), _FILLER)
        found[:, 0:shown:2] = _some(random, rows, values, pairs)
        found[:, 1:shown:2] = _some(random, rows, values, pairs)
        steps = shown + _some(random, rows, length - shown, pairs)
        np.put_along_axis(found, steps, np.broadcast_to(np.arange(pairs), (rows, pairs)), axis=1)
        return found

    drawn = rows_apart(draw, count, part, _SEED)
    keys, answers, asked = drawn[:, 0:shown:2], drawn[:, 1:shown:2], drawn[:, shown:]
    query = asked != _FILLER
    inputs = np.full_like(drawn, 2 * values)
    inputs[:, 0:shown:2], inputs[:, 1:shown:2] = keys, values + answers
    inputs[:, shown:][query] = np.take_along_axis(keys, asked, axis=1)[query]
    targets = np.full_like(drawn, values)
    targets[:, shown:][query] = np.take_along_axis(answers, asked, axis=1)[query]
    return Split(Ragged.from_dense(inputs), Ragged.from_dense(targets))


def _some(random: np.random.RandomState, rows: int, of: int, count: int) -> np.ndarray:
    """(rows, count): in each row `count` different numbers below `of`, in random order."""
    most = max(1, _AT_ONCE // of)
    parts = [
        np.argsort(random.random_sample((min(most, rows - first), of)), axis=1)[:, :count]
        for first in range(0, rows, most)
    ]
    return np.concatenate(parts)
