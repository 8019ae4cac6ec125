"""Where the level of a figure changes over time.

PELT (Killick, Fearnhead and Eckley 2012) as implemented by ruptures (Truong, Oudre and Vayatis 2020), with the
squared distance from a segment's mean as cost: the segmentation with the least sum of squares plus `penalty`
for each change is found exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_POINTS = 6
"""Points below which nothing is said: the noise cannot be told from a change."""
LEAST_SEGMENT = 3
"""Points of a segment: of three, one that stands out is not the median, and so makes no new level."""
PENALTY = 4.0
"""Factor of the penalty variance * ln(n): twice that of the Bayesian information criterion, for the variance is
estimated from few points."""


@dataclass(frozen=True)
class Change:
    """A new level from point `at` on. before, after: the medians of the segments on both sides."""

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
    :param least: differences below it are of no consequence. They are not reported, and the noise is taken to
        be at least a third of it, so that equal values do not make every rounding a change.

    Raises ImportError without ruptures.
    """
    if len(values) < LEAST_POINTS:
        return []
    import ruptures

    signal = np.asarray(values, np.float64)
    noise = max(_noise(signal), least / 3)
    penalty = PENALTY * noise**2 * math.log(len(values))
    # a linear kernel's cost is the squared distance from the mean, and this class computes it in C
    search = ruptures.KernelCPD(kernel="linear", min_size=LEAST_SEGMENT).fit((signal - signal[0])[:, None])
    ends = search.predict(pen=penalty) if penalty > 0 else [len(values)]
    starts = [0, *ends]
    levels = [float(np.median(signal[start:end])) for start, end in zip(starts, ends, strict=False)]
    found = [Change(end, before, after) for end, before, after in zip(ends, levels, levels[1:], strict=False)]
    return [one for one in found if abs(one.difference) >= least]


def _noise(values: np.ndarray) -> float:
    """Standard deviation of one point, from the differences of neighbours, which few changes do not move: their
    median absolute value is .6745 times theirs, and theirs sqrt(2) times that of a point."""
    return float(np.median(np.abs(np.diff(values)))) / 0.6745 / math.sqrt(2)
