"""How time grows with size: power laws fitted to what a study holds, with the interval of the exponent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.analysis.identity import fields, pair_key
from benchsuite.analysis.runs import Run

LEAST_SIZES = 3
"""Sizes that a fit needs: two parameters, and something left to tell how well they fit."""
TIME_STEPS, SEQUENCES = "speed/time_steps_per_second", "speed/sequences_per_second"
"""Both by wall time, so that their ratio is a length."""
LONGER = 1.05
"""Ratio of the longest to the shortest sequences above which an option is one of length."""


HIDDEN_SIZE, SEQUENCE_LENGTH, BATCH_SIZE = "hidden size", "sequence length", "batch size"
SIZES = (HIDDEN_SIZE, SEQUENCE_LENGTH, BATCH_SIZE)
"""What may be varied."""


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """seconds = constant * size ** exponent, fitted to the logarithms by least squares; seconds are those of
    Run.step.

    size   one of SIZES
    half   half of the exponent's 95 % interval (Student's t, n - 2 degrees of freedom); None where the points
           leave nothing to tell it by
    runs   one for each size, the smallest first
    """

    size: str
    runs: tuple[Run, ...]
    sizes: tuple[float, ...]
    seconds: tuple[float, ...]
    exponent: float
    half: float | None


def laws(runs: Iterable[Run]) -> list[PowerLaw]:
    """A law for every set of runs that differ in one size alone and have LEAST_SIZES of it, by size."""
    timed = [run for run in runs if run.step]
    flat = {id(run): fields(run.aggregate.trial) for run in timed}
    lengths = sorted({path for values in flat.values() for path in values if path.startswith("options.")})
    made: list[PowerLaw] = []
    for kind, paths in (
        (HIDDEN_SIZE, ["size.hidden"]),
        (SEQUENCE_LENGTH, lengths),
        (BATCH_SIZE, ["recipe.batch_size"]),
    ):
        for path in paths:
            groups: dict[str, list[Run]] = {}
            for run in timed:
                own = flat[id(run)]
                if path in own and not isinstance(own[path], bool | str):
                    groups.setdefault(pair_key(run.aggregate.trial, (path, "seed")), []).append(run)
            for members in groups.values():
                if len(members) >= LEAST_SIZES:
                    made += _law(kind, path, members, flat)
    return made


def _law(
    kind: str, path: str, members: Sequence[Run], flat: dict[int, dict[str, object]]
) -> Iterator[PowerLaw]:
    points = []
    for run in members:
        size = steps_per_sequence(run) if path.startswith("options.") else flat[id(run)][path]
        taken = run.step
        if isinstance(size, int | float) and size > 0 and taken:
            points.append((float(size), taken, run))
    points.sort(key=lambda point: point[0])
    if len({size for size, _, _ in points}) < LEAST_SIZES:
        return
    if path.startswith("options.") and points[-1][0] / points[0][0] < LONGER:
        return
    sizes = tuple(size for size, _, _ in points)
    seconds = tuple(taken for _, taken, _ in points)
    exponent, half = fit(sizes, seconds)
    yield PowerLaw(kind, tuple(run for _, _, run in points), sizes, seconds, exponent, half)


def steps_per_sequence(run: Run) -> float | None:
    """Mean number of real steps in the timed sequences."""
    steps, sequences = run.mean(TIME_STEPS), run.mean(SEQUENCES)
    return steps / sequences if steps and sequences else None


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float | None]:
    """The exponent of the power law through the points, and half of its 95 % interval.

    :param sizes: n >= 2 positive numbers, two of them different. :param seconds: n positive numbers.
    """
    x, y = np.log(np.asarray(sizes, np.float64)), np.log(np.asarray(seconds, np.float64))
    deviation = x - x.mean()
    spread = float(deviation @ deviation)
    exponent = float(deviation @ y) / spread
    n = len(x)
    if n < LEAST_SIZES:
        return exponent, None
    from scipy.special import stdtrit

    residual = y - y.mean() - exponent * deviation
    error = math.sqrt(float(residual @ residual) / (n - 2) / spread)
    return exponent, float(stdtrit(n - 2, 0.975)) * error
