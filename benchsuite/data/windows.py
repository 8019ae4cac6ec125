"""Sliding windows over one series: which rows go in, which rows are to be forecast."""

from __future__ import annotations

import numpy as np


def window_starts(first: int, stop: int, window: int, horizon: int) -> np.ndarray:
    """First rows, (n,) int64, of all windows whose forecast rows lie in [first, stop).

    A window reads rows [s, s + window) and forecasts [s + window, s + window + horizon). Its input may reach
    back before `first`, into an earlier split, never before row 0. Empty when nothing fits.
    """
    return np.arange(max(first - window, 0), stop - window - horizon + 1, dtype=np.int64)


def window_targets(values: np.ndarray, starts: np.ndarray, window: int, horizon: int) -> np.ndarray:
    """The rows to forecast, flattened: values (N, C) -> (n, horizon * C), channels of a row side by side."""
    ahead = np.lib.stride_tricks.sliding_window_view(values, horizon, axis=0)[starts + window]
    return np.ascontiguousarray(ahead.swapaxes(1, 2)).reshape(len(starts), horizon * values.shape[1])
