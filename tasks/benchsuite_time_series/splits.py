"""From a standardised series to splits of windows, in levels or relative to each window's last value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.data import window_targets


def shared_splits(
    values: np.ndarray, forecast: Sequence[int], starts: Sequence[np.ndarray], window: int, horizon: int
) -> list[Split]:
    """One split for each array of `starts`; the windows of all of them overlap in one copy of the series.

    values    (N, C) the standardised series
    forecast  its channels to be forecast
    """
    rows = values.astype(np.float32)
    truth = rows[:, forecast]
    return [
        Split(
            Ragged(rows, first, np.full(len(first), window, np.int64)),
            window_targets(truth, first, window, horizon),
        )
        for first in starts
    ]


def relative_splits(
    values: np.ndarray, forecast: Sequence[int], starts: Sequence[np.ndarray], window: int, horizon: int
) -> list[Split]:
    """As shared_splits, with each window's last row taken from its inputs and targets, channel by channel.

    Windows hold rows of their own, one after the other: window k of all splits together begins at row
    k * window.
    """
    every = np.concatenate(starts)
    values = values.astype(np.float32)
    last = values[every + window - 1]
    rows = values[every[:, None] + np.arange(window)]
    rows -= last[:, None]
    flat = rows.reshape(-1, values.shape[1])
    targets = window_targets(values[:, forecast], every, window, horizon)
    targets -= np.tile(last[:, forecast], horizon)
    begins = np.arange(len(every), dtype=np.int64) * window
    lengths = np.full(len(every), window, np.int64)
    cuts = np.cumsum([len(first) for first in starts])[:-1]
    return [
        Split(Ragged(flat, begin, length), target)
        for begin, length, target in zip(
            np.split(begins, cuts), np.split(lengths, cuts), np.split(targets, cuts), strict=True
        )
    ]
