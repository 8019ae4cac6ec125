"""How large a difference is, how sure that is, and the word for it.

A metric's effect is the difference B - A; a speed's is ln(time of B / time of A). The replicates of a metric
are seeds and nothing else. A speed's effect is that on a set of configurations, one value for each.

The interval and p-value of a pooled effect are Student's (1908), of paired differences. p-values of one
comparison are corrected together by Holm (1979), which holds the chance of any false alarm below 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import numpy as np

from benchsuite.analysis.seeds import ALPHA, holm, student_p, student_quantile
from benchsuite.analysis.validity import Clock

LEAST_REPLICATES = 3
"""Fewer differences than this show no spread that could be trusted."""


class Verdict(StrEnum):
    """What B is, compared with A."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Effect:
    """One pooled difference.

    what        `test/accuracy`, `speed/step`
    where       the section, model or backend that it is of
    a, b        means of both sides (a speed's: geometric means of the step times in seconds)
    difference  B - A, or ln(B / A) of times
    low, high   its 95 % interval; equal to it where every replicate shows the same; NaN where there are too few
    n           replicates of the largest stratum: seeds of a metric, configurations of a speed
    p           two-sided, corrected by correct_together(); NaN where there are too few
    change      relative change for the worse: above 0 is worse (a loss of accuracy over A's, a longer time over
                A's)
    margin      differences smaller than this are of no consequence
    clock       `cpu` or `wall`: which times a speed's effect is of; "" for a metric's
    """

    what: str
    where: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    n: int
    p: float
    change: float
    margin: float
    higher_is_better: bool
    clock: Clock | Literal[""] = ""

    @property
    def verdict(self) -> Verdict:
        """Better or worse where the corrected test says so and the difference is of consequence; the same where
        the interval lies within the margin; else unclear."""
        if self.difference == 0 and self.low == self.high:
            return Verdict.SAME
        if self.p < ALPHA and abs(self.difference) > self.margin:
            risen = self.difference > 0
            return Verdict.BETTER if risen == self.higher_is_better else Verdict.WORSE
        inside = -self.margin <= self.low and self.high <= self.margin
        return Verdict.SAME if inside else Verdict.UNCLEAR


def pooled(
    what: str,
    where: str,
    strata: Sequence[Sequence[tuple[float, float]]],
    *,
    higher_is_better: bool,
    margin: float,
    ratio: bool = False,
) -> Effect:
    """The effect over paired replicates (A's value, B's value), the mean over strata of each stratum's mean.

    Strata are no replicates: the spread is that within them, so that a stratum with one replicate tells nothing
    of it (paired differences in a fixed-effects layout; with one stratum this is Student's paired t test).

    :param strata: the replicates of each stratum, at least one in each; a metric's are the seeds of a model.
    :param margin: smallest difference of consequence; of a metric as a share of A's mean.
    :param ratio: the values are times: the difference is taken of their logarithms.
    """
    values = [np.array(one, np.float64) for one in strata]
    sides = [(np.log(one) if ratio else one).T for one in values]
    differences = [b - a for a, b in sides]
    mean = float(np.mean([np.mean(one) for one in differences]))
    low, high, p = _interval(differences, mean)
    before = float(np.mean([np.mean(a) for a, _ in sides]))
    after = float(np.mean([np.mean(b) for _, b in sides]))
    n = max(map(len, differences))
    if ratio:
        before, after, change = math.exp(before), math.exp(after), math.expm1(mean)
    else:
        scale = abs(before)
        sign = -1.0 if higher_is_better else 1.0
        change = sign * mean / scale if scale else math.copysign(math.inf, sign * mean) if mean else 0.0
        margin = margin * scale
    return Effect(
        what, where, before, after, mean, low, high, n, p, change, margin, higher_is_better and not ratio
    )


def _interval(strata: Sequence[np.ndarray], mean: float) -> tuple[float, float, float]:
    """95 % interval and p-value by Student's t, with the spread within strata pooled."""
    all_of_them = np.concatenate(strata)
    freedom = len(all_of_them) - len(strata)
    certain = freedom >= LEAST_REPLICATES - 1
    if np.ptp(all_of_them) <= 1e-12 * abs(mean):
        # no spread: what is computed the same way twice comes out the same twice
        known = mean == 0 or certain
        return (mean, mean, 1.0 if mean == 0 else 0.0) if known else (math.nan, math.nan, math.nan)
    if not certain:
        return math.nan, math.nan, math.nan
    squares = sum(float(np.sum((one - np.mean(one)) ** 2)) for one in strata)
    weight = sum(1 / len(one) for one in strata) / len(strata) ** 2
    error = math.sqrt(squares / freedom * weight)
    if error == 0:
        return mean, mean, 0.0 if mean else 1.0
    half = student_quantile(freedom, 1 - ALPHA) * error
    return mean - half, mean + half, student_p(mean / error, freedom)


def correct_together(effects: Sequence[Effect]) -> list[Effect]:
    """The same effects with p-values corrected for how many there are (Holm 1979)."""
    corrected = holm([effect.p for effect in effects])
    return [replace(effect, p=p) for effect, p in zip(effects, corrected, strict=True)]
