"""How fast |dL/dh_t| shrinks or grows on its way back in time: vanishing and exploding gradients.

The profile is taken by *lag*, the number of recurrent steps between h_t and the last state of its sequence,
so that sequences of different lengths can be averaged. With one loss at the end of the sequence, |dL/dh| at lag
k is what k recurrent Jacobians leave of it (Bengio et al. 1994; Pascanu et al. 2013, eq. 5), and the slope of
its logarithm is the mean log-contraction of one step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.schema.thresholds import EXPLODING, VANISHING

MIN_SEQUENCES = 0.25
"""Share of the sequences that must reach a lag for it to count in the fit."""


@dataclass(frozen=True)
class Decay:
    """The fit ln|dL/dh| = a + slope * lag.

    slope      natural logarithm per step; negative: shrinking
    half_life  steps back in time over which the gradient halves, ln 2 / -slope; infinite when it does not
    change     exp(slope * longest lag): what is left of the gradient at the first step; 0 where the gradient
               there has underflowed to zero
    verdict    vanishing, stable, exploding; truncated where truncated BPTT ends the gradient before the
               sequence does; undefined where the loss does not enter at the end alone
    """

    slope: float
    half_life: float
    change: float
    verdict: str


def lag_profile(
    state: np.ndarray, lengths: np.ndarray, backwards: bool = False, resets: np.ndarray | None = None
) -> np.ndarray:
    """Mean over sequences of |dL/dh_t|_2 by lag.

    :param state: dL/dh_t, (B, T, H).
    :param lengths: (B,).
    :param backwards: the layer reads from the end, so that its last state is at t = 0.
    :param resets: (B, T) bool, where a row's next sequence begins, of layers that read forwards; None: a row is
        a sequence.
    :returns: (longest sequence,) float64; lags that fewer than MIN_SEQUENCES of the sequences reach are NaN.
    """
    norms = np.sqrt(np.sum(np.asarray(state, np.float64) ** 2, axis=2))
    steps = np.broadcast_to(np.arange(norms.shape[1]), norms.shape)
    inside = steps < lengths[:, None]
    lags = steps if backwards else _ends(lengths, steps, resets) - 1 - steps
    count = np.bincount(lags[inside])
    profile = np.bincount(lags[inside], weights=norms[inside]) / count
    return np.where(count >= MIN_SEQUENCES * count[0], profile, np.nan)


def _ends(lengths: np.ndarray, steps: np.ndarray, resets: np.ndarray | None) -> np.ndarray:
    """(B, T): the step after the last one of the sequence that each step belongs to."""
    ends = np.broadcast_to(lengths[:, None], steps.shape)
    if resets is None:
        return ends
    following = ends.copy()
    following[:, :-1] = np.where(resets[:, 1:], steps[:, 1:], ends[:, :-1])
    found: np.ndarray = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    return found


def decay(profile: np.ndarray, loss_at_end: bool = True, truncation: int | None = None) -> Decay:
    """Fit a profile. Lags whose gradient has underflowed to zero are left out of the fit, but make the
    verdict vanishing, unless `truncation` (in steps) cut the gradient off there.

    :param profile: |dL/dh| by lag, (longest length,); NaN where too few sequences reach a lag.
    :param loss_at_end: whether the loss enters at the last step alone.
    """
    lags = np.arange(len(profile))
    reached = np.isfinite(profile)
    alive = reached & (profile > 0)
    cut = truncation is not None and truncation < int(reached.sum())
    if int(alive.sum()) < 2:
        lost = loss_at_end and int(reached.sum()) >= 2
        nothing = float("nan")
        if not lost:
            return Decay(nothing, nothing, nothing, "undefined")
        return Decay(nothing, nothing, 0.0, "truncated" if cut else "vanishing")
    centred = lags[alive] - np.mean(lags[alive])
    slope = float(centred @ np.log(profile[alive]) / (centred @ centred))  # least squares
    span = int(lags[reached][-1])
    change = float(np.exp(np.clip(slope * span, -700, 700))) if profile[span] > 0 else 0.0
    half_life = float(np.log(2) / -slope) if slope < 0 else float("inf")
    if not loss_at_end:
        verdict = "undefined"
    elif cut:
        verdict = "truncated"
    elif change < VANISHING:
        verdict = "vanishing"
    else:
        verdict = "exploding" if change > EXPLODING else "stable"
    return Decay(slope, half_life, change, verdict)
