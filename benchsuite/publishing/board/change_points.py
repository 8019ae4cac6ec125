"""Where the level of a figure changes over time.

PELT (Killick, Fearnhead and Eckley 2012) as implemented by ruptures (Truong, Oudre and Vayatis 2020), with the
squared distance from a segment's mean as cost: the segmentation with the least sum of squares plus `penalty` for
each change is found exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_POINTS = 6
"""Points below which nothing is said: the noise cannot be told from a change."""
LEAST_SEGMENT = 2
"""Points of a segment; a single point is an outlier, not a new level."""
PENALTY = 4.0
"""Factor of the penalty variance * ln(n): twice that of the Bayesian information criterion, for the variance is
estimated from few points."""


@dataclass(frozen=True)
class Change:
    """A new level from point `at` on. before, after: the means of the segments on both sides."""

    at: int
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


def is_available() -> bool:
    """Whether ruptures is installed (extra `site`)."""
    import importlib.util

    return importlib.util.find_spec("ruptures") is not None


def changes(values: Sequence[float], least: float) -> list[Change]:
    """Changes of the level of `values`, in their order; none of fewer than LEAST_POINTS.

    :param values: finite, in the order of time; logarithms where ratios are meant.
    :param least: differences below it are of no consequence. They are not reported, and the noise is taken to be
        at least a third of it, so that equal values do not make every rounding a change.

    Raises ImportError without ruptures.
    """
    if len(values) < LEAST_POINTS:
        return []
    import ruptures

    signal = np.asarray(values, np.float64)[:, None]
    noise = max(_noise(signal[:, 0]), least / 3)
    ends = ruptures.Pelt(model="l2", min_size=LEAST_SEGMENT, jump=1).fit_predict(
        signal, pen=PENALTY * noise**2 * math.log(len(values))
    )
    starts = [0, *ends]
    means = [float(signal[start:end].mean()) for start, end in zip(starts, ends, strict=False)]
    found = [Change(end, before, after) for end, before, after in zip(ends, means, means[1:], strict=False)]
    return [one for one in found if abs(one.difference) >= least]


def _noise(values: np.ndarray) -> float:
    """Standard deviation of one point, from the differences of neighbours, which few changes do not move: their
    median absolute value is .6745 times theirs, and theirs sqrt(2) times that of a point."""
    return float(np.median(np.abs(np.diff(values)))) / 0.6745 / math.sqrt(2)
