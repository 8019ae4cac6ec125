"""The sequences of the temporal order problem, drawn at random and the same on every machine."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split

LETTERS = ("E", "B", "a", "b", "c", "d", "X", "Y")
SHARES = {2: ((0.1, 0.2), (0.5, 0.6)), 3: ((0.1, 0.2), (0.33, 0.43), (0.66, 0.76))}
"""Number of symbols -> the part of the sequence that each one is in, ends included."""

_FIRST, _LAST, _DISTRACTOR, _RELEVANT = 0, 1, 2, 6
_DISTRACTORS = 4
_LONGER = 0.1
_SEED = 1997


def places(length: int, symbols: int) -> list[tuple[int, int]]:
    """The first and the last step, counted from 0, that each symbol may be at."""
    return [(round(low * length), round(high * length)) for low, high in SHARES[symbols]]


def sequences(count: int, length: int, symbols: int, part: int) -> Split:
    """`count` sequences of letters' ids, int32, `length` steps or up to a tenth more; targets (count,) int32.

    The class reads X as 0 and Y as 1, the first symbol as the highest binary digit.

    :param part: number of the split; each one has a stream of its own, so that no split depends on how many
        sequences another one has.
    """
    random = np.random.RandomState([_SEED, part])  # its stream is frozen, so these sequences never change
    longest = length + int(_LONGER * length)
    lengths = random.randint(length, longest + 1, size=count).astype(np.int64)
    ids = random.randint(_DISTRACTORS, size=(count, longest)).astype(np.int32) + _DISTRACTOR
    rows = np.arange(count)
    classes = np.zeros(count, np.int32)
    for low, high in places(length, symbols):
        kind = random.randint(2, size=count).astype(np.int32)
        ids[rows, random.randint(low, high + 1, size=count)] = _RELEVANT + kind
        classes = 2 * classes + kind
    ids[:, 0] = _FIRST
    ids[rows, lengths - 1] = _LAST
    return Split(Ragged(ids.reshape(-1), rows.astype(np.int64) * longest, lengths), classes)
