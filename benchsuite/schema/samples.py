"""Samples of one figure: median, quartile distance, and the interval of the median."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchsuite.schema.thresholds import UNSTABLE

RESAMPLES = 2000


@dataclass(frozen=True)
class Summary:
    """Of a set of samples: median, quartile distance, and a 95 % bootstrap interval of the median."""

    median: float
    iqr: float
    low: float
    high: float

    @property
    def unstable(self) -> bool:
        return not self.iqr <= UNSTABLE * self.median


def summarise(samples: np.ndarray) -> Summary:
    """Median, IQR and percentile-bootstrap interval (RESAMPLES, fixed seed) of at least one sample."""
    ordered = np.sort(samples)
    count = len(ordered)
    median = float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    if count < 2 or ordered[0] == ordered[-1]:
        return Summary(median, 0.0, median, median)
    below, above = _median_ranks(count)
    medians = np.sort((ordered[below] + ordered[above]) / 2)
    iqr = _quantile(ordered, 0.75) - _quantile(ordered, 0.25)
    return Summary(median, iqr, _quantile(medians, 0.025), _quantile(medians, 0.975))


def _quantile(ordered: np.ndarray, share: float) -> float:
    """As numpy.quantile, of numbers already in order: for a dozen of them its own care takes longer."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)


@cache
def _median_ranks(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Of n ordered samples: which two the median of each resample lies between, twice the same one for odd n.
    Resamples are drawn by rank, so they are the same ones for every n samples."""
    drawn = np.sort(np.random.default_rng(0).integers(0, n, (RESAMPLES, n)), axis=1)
    return drawn[:, (n - 1) // 2], drawn[:, n // 2]
