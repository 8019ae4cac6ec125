"""Who is faster in a race, by how much, and how sure that is.

Samples are paired by round. A ratio is the median over rounds of one racer's time over the other's, with a
bootstrap interval over rounds: drift that lasts longer than a round cancels in it. The test is Mann and
Whitney's U (1947) within blocks of rounds, added up as van Elteren (1960) does: drift that lasts longer than a
block does not hide a difference. The p-values of all pairs of a race are corrected together (Holm 1979).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from benchsuite.analysis.seeds import ALPHA, holm
from benchsuite.schema.race import MARGIN, Judgement, Pairwise, Rank, SpeedVerdict
from benchsuite.schema.samples import summarise

BLOCK = 5
"""Rounds of a block."""


def judge(samples: Mapping[str, np.ndarray], margin: float = MARGIN) -> Judgement:
    """Judge at least two racers by their times of the same rounds, shape (rounds,) each, all above 0.

    :param margin: ln of a ratio that is of no consequence.
    """
    names = list(samples)
    times = np.array([samples[name] for name in names], np.float64)
    # by each round's own pace, so that a place does not depend on the rounds in which the machine was slow
    pace = np.median(times / np.exp(np.mean(np.log(times), axis=0)), axis=1)
    order = [names[place] for place in np.argsort(pace, kind="stable")]
    pairs = [(behind, before) for before, behind in combinations(order, 2)]
    corrected = holm([shift_p(samples[behind], samples[before]) for behind, before in pairs])
    pairwise = tuple(
        _pairwise(behind, before, samples[behind] / samples[before], p, margin)
        for (behind, before), p in zip(pairs, corrected, strict=True)
    )
    against = {pair.racer: pair for pair in pairwise if pair.other == order[0]}
    ranks = tuple(_rank(name, samples[name], against.get(name)) for name in order)
    return Judgement(rounds=times.shape[1], ranks=ranks, pairwise=pairwise)


def _rank(name: str, times: np.ndarray, pair: Pairwise | None) -> Rank:
    found = summarise(times)
    return Rank(
        racer=name,
        median=found.median,
        low=found.low,
        high=found.high,
        iqr=found.iqr,
        unstable=found.unstable,
        pair=pair,
    )


def _pairwise(racer: str, other: str, ratios: np.ndarray, p: float, margin: float) -> Pairwise:
    found = summarise(ratios)
    word = verdict(math.log(found.median), math.log(found.low), math.log(found.high), p, margin)
    return Pairwise(
        racer=racer, other=other, ratio=found.median, low=found.low, high=found.high, p=p, verdict=word
    )


def verdict(difference: float, low: float, high: float, p: float, margin: float) -> SpeedVerdict:
    """Of ln(ratio) and its interval: faster or slower where the corrected test says so and the difference is of
    consequence; the same where the interval lies within the margin; else unclear."""
    if p < ALPHA and abs(difference) > margin:
        return SpeedVerdict.SLOWER if difference > 0 else SpeedVerdict.FASTER
    return SpeedVerdict.SAME if -margin <= low and high <= margin else SpeedVerdict.UNCLEAR


def shift_p(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray, block: int = BLOCK) -> float:
    """Two-sided p-value of van Elteren's test that neither of two samples of one race tends to be larger.

    Each block's U is weighted by 1 / (size + 1); normal approximation with ties and continuity corrected.
    """
    from scipy.stats import norm, rankdata

    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    total = variance = heaviest = 0.0
    for rounds in np.array_split(np.arange(len(a)), max(1, len(a) // block)):
        n = len(rounds)
        both = np.concatenate([a[rounds], b[rounds]])
        ranks = rankdata(both)
        _, ties = np.unique(both, return_counts=True)
        tied = float(np.sum(ties**3 - ties)) / (2 * n * (2 * n - 1))
        weight = 1.0 / (2 * n + 1)
        total += weight * (float(np.sum(ranks[:n])) - n * (2 * n + 1) / 2)
        variance += weight**2 * n * n / 12 * (2 * n + 1 - tied)
        heaviest = max(heaviest, weight)
    if variance <= 0:
        return 1.0
    return float(2 * norm.sf(max(0.0, abs(total) - heaviest / 2) / math.sqrt(variance)))
