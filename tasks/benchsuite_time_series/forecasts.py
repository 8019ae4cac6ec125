"""Forecasts that cost nothing, on the very windows a model is scored on (Hyndman and Athanasopoulos, 5.2)."""

from __future__ import annotations

import numpy as np


def naive(values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, again and again: values (N, C), origins (n,) -> (n, horizon * C).

    origins  the first row to be forecast, by window
    """
    last = values[origins - 1]
    return np.repeat(last[:, None, :], horizon, axis=1).reshape(len(origins), -1)


def training_mean(seen: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The mean of the training rows `seen` (M, C): shapes as in naive().

    What a model of returns or changes has to beat: it is far better there than the last value.
    """
    return np.tile(seen.mean(axis=0), (len(origins), horizon))


def seasonal_naive(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The values of the last whole season before each origin, again and again; shapes as in naive().

    It may look back further than a model's window. Where the series has no whole season before an origin, it
    repeats what there is.
    """
    period = np.minimum(season, origins)[:, None]
    rows = origins[:, None] - period + np.arange(horizon) % period
    repeated: np.ndarray = values[rows].reshape(len(origins), -1)
    return repeated
