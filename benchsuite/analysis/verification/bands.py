"""Reference bands: between which values the test metric of a model has come out, and records outside of them.

A metric that is better than it ever was is as suspect as one that is worse: data that leaked, a seed that was
searched for, a figure that was edited (MLPerf compares with reference convergence points for the same reason).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchsuite.analysis.identity import model_key
from benchsuite.analysis.validity import is_ranked
from benchsuite.analysis.verification.evidence import SAME_FIGURE, Evidence
from benchsuite.analysis.verification.metrics import domain
from benchsuite.schema import Trial

SPREADS = 5.0
"""Standard deviations over seeds and backends on either side: of the model, or pooled over the models of its
task."""
ONE_SEED, SEVERAL_SEEDS = 3.0, 2.0
"""The least factor on either side: of the odds of a share (.96 and 2: from .923 to .980), of the root of the
value of a metric from 0 on (2: from 0.71 to 1.41 times)."""
NEAREST_SHARE = 0.02
"""Shares nearer to 0 or 1 than this are taken as that near: odds of neither are infinite."""


@dataclass(frozen=True)
class Band:
    """Where the test metric of one model lies.

    model    cell, architecture, task and source, for a reader
    metric   the metric that ranks
    low, high  its bounds
    values   what it came out as, over seeds and backends
    seeds    how many seeds that were
    source   the study that the values are of
    """

    model: str
    metric: str
    low: float
    high: float
    values: tuple[float, ...]
    seeds: int
    source: str

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "values": list(self.values)}

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Band:
        """A band from its JSON."""
        return cls(**{**given, "values": tuple(given["values"])})


def model_digest(trial: Trial) -> str:
    """16 hexadecimal digits of the model: equal for every backend and seed of it."""
    return _digest(model_key(trial))


def evidence_digest(found: Evidence) -> str:
    """model_digest() of a record's trial."""
    return _digest(found.model)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def band_faults(all_found: Sequence[Evidence], bands: Mapping[str, Band]) -> Iterator[str]:
    """Ranked records whose test metric is outside of their model's band, on either side."""
    for found in all_found:
        band = bands.get(evidence_digest(found))
        if band is None or not is_ranked(found.record):
            continue
        value = found.scalar(f"test/{band.metric}")
        if found.record.primary != band.metric or value is None:
            yield found.fault(f"is not ranked by {band.metric}, as its reference is")
        elif not band.low * (1 - SAME_FIGURE) <= value <= band.high * (1 + SAME_FIGURE):
            side = "above" if value > band.high else "below"
            yield found.fault(
                f"test {band.metric} {value:.6g} is {side} the reference, {band.low:.4g} to {band.high:.4g} "
                f"(from {band.source})"
            )


def without_band(all_found: Sequence[Evidence], bands: Mapping[str, Band]) -> list[str]:
    """The models of ranked records of which no band is known, one name per model."""
    ranked = [one for one in all_found if is_ranked(one.record)]
    models = {evidence_digest(one): one.record.trial for one in ranked}
    names = {digest: f"{one.model} {one.task}/{one.source}" for digest, one in models.items()}
    return sorted(name for digest, name in names.items() if digest not in bands)


def bounds(metric: str, values: Sequence[float], spread: float, seeds: int) -> tuple[float, float]:
    """Low and high of a band around `values`.

    :param spread: the standard deviation on the scale of scaled(), of the model or pooled over the models of
        its task; 0 where it is not known.
    """
    centre = math.fsum(scaled(metric, value) for value in values) / len(values)
    least_half = math.log(SEVERAL_SEEDS if seeds > 1 else ONE_SEED)
    half = max(SPREADS * spread, least_half / 2 if _kind(metric) == "positive" else least_half)
    low, high = _unscaled(metric, centre - half), _unscaled(metric, centre + half)
    least, most = domain(metric)
    width = most - least
    if math.isfinite(width):  # what was as near to an end as can be may come out at the end
        low = least if low <= least + NEAREST_SHARE * width else low
        high = most if high >= most - NEAREST_SHARE * width else high
    return low, high


def scaled(metric: str, value: float) -> float:
    """The value where spreads are compared: the logarithm of the odds of a share, of the value of what is 0 at
    least, the value itself else."""
    least, most = domain(metric)
    kind = _kind(metric)
    if kind == "share":
        share = min(max((value - least) / (most - least), NEAREST_SHARE), 1 - NEAREST_SHARE)
        return math.log(share / (1 - share))
    return math.log(max(value - least, 1e-12)) if kind == "positive" else value


def _unscaled(metric: str, value: float) -> float:
    least, most = domain(metric)
    kind = _kind(metric)
    if kind == "share":
        return least + (most - least) / (1 + math.exp(-value))
    return least + math.exp(value) if kind == "positive" else value


def _kind(metric: str) -> str:
    least, most = domain(metric)
    if math.isfinite(least) and math.isfinite(most):
        return "share"
    return "positive" if math.isfinite(least) else "free"
