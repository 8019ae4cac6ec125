"""From which sequence length on a scan over time is faster than a loop over the same steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchsuite.analysis.identity import pair_key
from benchsuite.analysis.scaling import SEQUENCE_LENGTH, PowerLaw

SCAN = "scan"
"""The unroll that is compared with every other one of the same cell and backend."""
EITHER_WAY = ("execution.unroll", "seed")
"""Fields in which the two runs of one length may differ."""


@dataclass(frozen=True, eq=False)
class Crossing:
    """A scan and a loop of one model on one backend, at the lengths that both were measured at.

    scan, loop  the two laws, by sequence length
    lengths     time steps per sequence, the smallest first; two or more
    ratios      the scan's seconds per training step over the loop's, by length: below 1 the scan is faster
    """

    scan: PowerLaw
    loop: PowerLaw
    lengths: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def length(self) -> float | None:
        """The length at which the scan becomes faster and stays so up to the longest that was measured: linear
        between the two neighbouring points in the logarithms of length and ratio. None where that is at no
        place within the measured range: the scan is slower at the longest, or faster at every length."""
        if self.ratios[-1] >= 1:
            return None
        points = list(pairwise(zip(self.lengths, self.ratios, strict=True)))
        for (left, before), (right, after) in reversed(points):
            if before >= 1:
                share = math.log(before) / (math.log(before) - math.log(after))
                return math.exp(math.log(left) + share * (math.log(right) - math.log(left)))
        return None

    @property
    def always(self) -> bool:
        """Whether the scan is faster at every length that was measured."""
        return all(ratio < 1 for ratio in self.ratios)


def crossings(laws: Sequence[PowerLaw]) -> list[Crossing]:
    """One for each law of a scan and each law of another unroll, by sequence length, that agree in all else and
    share two lengths or more; in the order of the scans' laws."""
    found = [law for law in laws if law.size == SEQUENCE_LENGTH]
    scans = [law for law in found if _unroll(law) == SCAN]
    loops = [law for law in found if _unroll(law) != SCAN]
    return [made for scan in scans for loop in loops for made in _crossing(scan, loop)]


def _crossing(scan: PowerLaw, loop: PowerLaw) -> Iterable[Crossing]:
    known = {
        pair_key(run.aggregate.trial, EITHER_WAY): seconds
        for run, seconds in zip(loop.runs, loop.seconds, strict=True)
    }
    shared = [
        (length, seconds / known[key])
        for run, length, seconds in zip(scan.runs, scan.sizes, scan.seconds, strict=True)
        if (key := pair_key(run.aggregate.trial, EITHER_WAY)) in known
    ]
    if len(shared) > 1:
        lengths, ratios = zip(*shared, strict=True)
        yield Crossing(scan, loop, lengths, ratios)


def _unroll(law: PowerLaw) -> str:
    return law.runs[0].aggregate.trial.execution.unroll
