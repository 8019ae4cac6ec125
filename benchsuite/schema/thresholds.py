"""The limits by which the verdicts of a record are given: parity, gradients, timing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerances:
    """Largest errors that are still rounding; `loss_*` and `drift_*` are for training runs of that many."""

    forward: float
    states: float
    gradients: float
    loss_10: float
    loss_50: float
    drift_50: float


TOLERANCES: dict[str, Tolerances] = {
    "float64": Tolerances(1e-13, 1e-12, 1e-12, 1e-12, 1e-11, 1e-10),
    "float32": Tolerances(5e-6, 1e-5, 2e-5, 1e-5, 1e-4, 1e-3),
    # TF32 keeps 10 bits of the mantissa: one product is off by up to 2^-11 = 5e-4, a chain of them by more.
    "tf32": Tolerances(5e-3, 1e-2, 2e-2, 1e-2, 1e-1, 1e-1),
}

MOST_WIDENED = 25.0
"""Times its tolerance that no error may pass, however much the terms of a gradient cancel."""

VANISHING, EXPLODING = 1e-2, 1e2
"""Change of |dL/dh| over the whole sequence, beyond which it is called vanishing or exploding. A
convention: at 1e-2 the first step's share of an update drowns in the noise of most recipes."""

STABLE = 0.05
"""Warm-up ends when the last three blocks differ by less than this share of their median."""

UNSTABLE = 0.15
"""Interquartile range over median above which a figure is marked unstable."""

DISTURBED = 1.25
"""Wall time over processor time of one thread on a CPU above which a timing is not steady: another process had
the core for part of the rounds."""
