"""Errors of forecasts, in float64 NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scaling:
    """What belongs to each of C channels, all (C,) float64.

    mean       of the training split
    deviation  of the training split; with the mean it standardised the series
    scale      seasonal_scale() of the standardised training split
    """

    mean: np.ndarray
    deviation: np.ndarray
    scale: np.ndarray

    def in_units(self, values: np.ndarray) -> np.ndarray:
        """Standardised values (..., C) in the units of the data."""
        found: np.ndarray = values * self.deviation + self.mean
        return found


def seasonal_scale(train: np.ndarray, season: int) -> np.ndarray:
    """Mean absolute error of the seasonal naive forecast within the training split: (N, C) -> (C,).

    The denominator of MASE: Hyndman and Koehler 2006, section 3, for a season of one; Hyndman and
    Athanasopoulos, Forecasting: Principles and Practice, 5.8, for a longer one. A season that does not fit
    counts as one.
    """
    lag = season if season < len(train) else 1
    scale: np.ndarray = np.abs(train[lag:] - train[:-lag]).mean(axis=0)
    return scale


def forecast_metrics(forecast: np.ndarray, truth: np.ndarray, scaling: Scaling) -> dict[str, float]:
    """mse, mae, mase and smape of forecasts and truth (n, horizon * C), both standardised by channel.

    mse and mae are in standardised units, as Informer reports them. mase is the mean absolute error over
    the scale, averaged over the channels. smape is the mean of 2 |y - f| / (|y| + |f|), from 0 to 2, in the
    units of the data; 0 where both are 0.
    """
    channels = len(scaling.mean)
    f = forecast.astype(np.float64).reshape(-1, channels)
    y = truth.astype(np.float64).reshape(-1, channels)
    error = np.abs(y - f)
    y, f = scaling.in_units(y), scaling.in_units(f)
    size = np.abs(y) + np.abs(f)
    relative = 2 * np.abs(y - f) / np.where(size == 0, 1.0, size)
    return {
        "mse": float(np.mean(error**2)),
        "mae": float(error.mean()),
        "mase": float((error.mean(axis=0) / scaling.scale).mean()),
        "smape": float(relative.mean()),
    }
