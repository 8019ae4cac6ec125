"""The sequences of the adding problem, drawn at random and the same on every machine."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split

_SEED = 1997


def sequences(count: int, length: int, part: int) -> Split:
    """`count` sequences (length, 2) float32, number and marker; targets (count, 1) float32, the sum.

    :param part: number of the split; each one has a stream of its own, so that no split depends on how many
        sequences another one has.
    """
    random = np.random.RandomState([_SEED, part])  # its stream is frozen, so these sequences never change
    inputs = np.zeros((count, length, 2), np.float32)
    inputs[:, :, 0] = random.random_sample((count, length))
    half = length // 2
    marked = np.stack([random.randint(half, size=count), random.randint(half, length, size=count)], axis=1)
    rows = np.arange(count)[:, None]
    inputs[rows, marked, 1] = 1.0
    return Split(Ragged.from_dense(inputs), inputs[rows, marked, 0].sum(axis=1, keepdims=True))
