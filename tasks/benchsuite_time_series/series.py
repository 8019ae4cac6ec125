"""Series: channels over time, with the split and the season that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Series:
    """One multivariate series.

    values    (N, C) float64, one row per time step, no gaps and no NaN
    channels  the C names
    target    index of the channel that univariate forecasting is about
    season    time steps after which the series is expected to repeat itself
    ends      first row after the training, the validation and the test split
    licence   of its files
    """

    values: np.ndarray
    channels: tuple[str, ...]
    target: int
    season: int
    ends: tuple[int, int, int]
    licence: str

    def only(self, chosen: Sequence[int], target: int) -> Series:
        """The same series with some of its channels."""
        names = tuple(self.channels[index] for index in chosen)
        return Series(self.values[:, chosen], names, target, self.season, self.ends, self.licence)


def split_ends(rows: int) -> tuple[int, int, int]:
    """Ends of a split 60/20/20 in time."""
    return rows * 3 // 5, rows * 4 // 5, rows


def carried_forward(values: np.ndarray) -> np.ndarray:
    """(N,) or (N, C) with each NaN replaced by the last value before it, so that no row knows what follows.

    NaN at the beginning of a column stays.
    """
    rows = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.take_along_axis(values, last, axis=0)
