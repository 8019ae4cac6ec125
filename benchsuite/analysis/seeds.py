"""Statistics over seeds: what trials of one configuration say together; and what many tests say together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from benchsuite.analysis.machines import Machine, machines_of
from benchsuite.analysis.validity import Clock, Timed, is_ranked, sequences_per_second, valid_scalars
from benchsuite.schema import Record, Status, Trial

CONFIDENCE = 0.95
ALPHA = 0.05
"""The level of every test: the chance of a false alarm that is accepted."""


@dataclass(frozen=True)
class Estimate:
    """The mean of n independent values and the bounds of its 95 % interval; None where n = 1 tells none."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half_width(self) -> float | None:
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True)
class Aggregate:
    """The records of one configuration on one machine, seeds in ascending order.

    ranked  whether every record may be ranked (it ended well, parity was proved)
    """

    records: tuple[Record, ...]

    @property
    def configuration_id(self) -> str:
        return self.trial.configuration_id

    @property
    def trial(self) -> Trial:
        """The trial of the lowest seed, for all that seeds do not change."""
        return self.records[0].trial

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(record.trial.seed for record in self.records)

    @property
    def ranked(self) -> bool:
        return all(is_ranked(record) for record in self.records)

    @cached_property
    def scalars(self) -> dict[str, Estimate]:
        """Scalar name -> its estimate over the records that ended `ok`.

        A record without the scalar is not counted (a target may never be reached), nor is the figure of a
        timing that is invalid. A value that is not finite makes the mean NaN: leaving it out would flatter
        the configuration.
        """
        values: dict[str, list[float]] = {}
        for record in self.records:
            if record.status is Status.OK:
                for name, value in valid_scalars(record).items():
                    values.setdefault(name, []).append(value)
        return {name: estimate(found) for name, found in sorted(values.items())}

    def verdict(self, kind: str) -> str:
        """The verdict that all seeds share, or all of them joined by a slash (`stable/vanishing`)."""
        return "/".join(sorted({record.verdicts[kind] for record in self.records if kind in record.verdicts}))

    def speed(self, by: Clock | None = None, what: Timed = "step") -> Estimate | None:
        """Sequences per second by the clock `by` (each record's own where None) over the seeds with a valid
        timing; None where there is none."""
        found = [sequences_per_second(record, what, by) for record in self.records]
        known = [value for value in found if value is not None]
        return estimate(known) if known else None

    @property
    def primary(self) -> Estimate | None:
        """The estimate of the metric that ranks, where any record has it."""
        name = next((record.primary for record in self.records if record.primary), "")
        return self.scalars.get(f"test/{name}")


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and Student's t interval (Student 1908): mean +- t(0.975, n - 1) s / sqrt(n).

    :param values: n >= 1 independent measurements, taken as normal.
    """
    n = len(values)
    if not all(math.isfinite(value) for value in values):
        return Estimate(math.nan, None, None, n)
    # not beyond them by a rounding error: equal values have no spread
    mean = min(max(math.fsum(values) / n, min(values)), max(values))
    if n == 1:
        return Estimate(mean, None, None, 1)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = student_quantile(n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)


@cache
def student_quantile(df: int, share: float = CONFIDENCE) -> float:
    """The t for which -t .. t holds `share` of Student's distribution, `df` >= 1 degrees of freedom.

    By bisection on the exact sum for whole degrees of freedom: importing SciPy's takes longer than a table of
    results does.
    """
    low, high = 0.0, math.pi / 2
    while low < (angle := (low + high) / 2) < high:
        if _student_share(angle, df) < share:
            low = angle
        else:
            high = angle
    return math.tan(high) * math.sqrt(df)


def student_p(t: float, df: int) -> float:
    """The two-sided p-value of Student's t with `df` >= 1 degrees of freedom: P(|T| >= |t|).

    It is the regularised incomplete beta function I(df / (df + t^2); df / 2, 1 / 2) (Abramowitz and Stegun
    1964, 26.7.1), to a relative error of about 1e-13 however small it is.
    """
    if math.isnan(t):
        return math.nan
    if math.isinf(t):
        return 0.0
    x = df / (df + t * t)
    if x <= (df / 2 + 1) / (df / 2 + 2.5):
        return _beta_share(x, df / 2, 0.5)
    return 1.0 - _beta_share(t * t / (df + t * t), 0.5, df / 2)


def _beta_share(x: float, a: float, b: float) -> float:
    """I(x; a, b) by its continued fraction (Abramowitz and Stegun 1964, 26.5.8), evaluated as Lentz (1976)
    does; it converges fast for x < (a + 1) / (a + b + 2)."""
    if x <= 0:
        return 0.0
    c, d = 1.0, 1.0 / (1.0 - (a + b) / (a + 1.0) * x)
    found = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        factor = 1.0
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            found *= d * c
            factor = d * c
        if abs(factor - 1.0) < 1e-15:
            break
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * found / a


def _student_share(angle: float, df: int) -> float:
    """P(|T| < sqrt(df) tan(angle)) (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    cosine, odd = math.cos(angle), df % 2
    term = cosine if odd else 1.0
    total = term if df > 1 else 0.0
    for k in range(2 + odd, df - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    share = math.sin(angle) * total
    return (angle + share) * 2 / math.pi if odd else share


def aggregate(records: Iterable[Record]) -> list[Aggregate]:
    """Records by machine and configuration, in the order in which each first appears.

    Skipped trials say nothing of a configuration and are left out.
    """
    found = list(records)
    groups: dict[tuple[Machine, str], list[Record]] = {}
    for record, machine in zip(found, machines_of(found), strict=True):
        if record.status is not Status.SKIPPED:
            groups.setdefault((machine, record.trial.configuration_id), []).append(record)
    return [
        Aggregate(tuple(sorted(group, key=lambda record: record.trial.seed))) for group in groups.values()
    ]


def median_over_seeds(records: Iterable[Record], scalar: str) -> float | None:
    """The median over records of a scalar that may be infinite: of an even number of them the lower middle one,
    because there is no mean with infinity. None where no record has a number."""
    found = sorted(
        record.scalars[scalar]
        for record in records
        if scalar in record.scalars and not math.isnan(record.scalars[scalar])
    )
    return found[(len(found) - 1) // 2] if found else None


def holm(values: Sequence[float], comparisons: int | None = None) -> list[float]:
    """p-values corrected for how many there are (Holm 1979), in their order: below .05, the chance of any false
    alarm among them is below 5 %. A NaN is no test; it stays and counts for nothing.

    :param comparisons: how many there could have been, where some were not tested: each multiplier is as if
        the others came after. None for as many as there are tests.
    """
    tested = sorted((p, place) for place, p in enumerate(values) if not math.isnan(p))
    count = len(tested) if comparisons is None else comparisons
    found, largest = list(values), 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min(1.0, (count - rank) * p))
        found[place] = largest
    return found
