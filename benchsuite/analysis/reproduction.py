"""Reproduction: is a trial that runs again the trial that was recorded, figure by figure?

What training computes (losses, metrics, gradients, parity) must be equal, bit for bit or within the tolerance
of fifty training steps. What a clock or an allocator says (speed, memory, seconds) is shown beside the
recorded figure and is not judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchsuite.schema import Record, Series
from benchsuite.schema.thresholds import TOLERANCES

MEASURED = (
    "speed/",
    "memory/",
    "energy/",
    "time/",
    "train/seconds",
    "train/cpu_seconds",
    "train/time_to_target",
)
"""Beginnings of the scalars that depend on the machine and on what else runs on it."""
ENVIRONMENT = (
    "hardware.",
    "system.",
    "python.",
    "data.",
    "backend.",
    "variable.",
    "threads.",
    "blas.",
    "artifact.",
)
"""Beginnings of the facts that are compared."""
DISTRIBUTIONS = "python.distributions"


class Likeness(StrEnum):
    """How near a figure came to the recorded one."""

    EQUAL = "bit-equal"
    WITHIN = "within tolerance"
    DIFFERENT = "different"
    MEASURED = "measured"


@dataclass(frozen=True)
class ReproducedFigure:
    """One scalar or curve; error is the largest |new - old| / max |old|."""

    name: str
    old: float
    new: float
    error: float
    likeness: Likeness


@dataclass(frozen=True)
class Reproduction:
    """A record compared with the one that its trial gave when it ran again.

    changes  fact -> (recorded, now): versions, hardware, data, code
    """

    recorded: Record
    again: Record
    figures: tuple[ReproducedFigure, ...]
    changes: Mapping[str, tuple[str, str]]

    @property
    def likeness(self) -> Likeness:
        """Of the whole: that of its worst figure; different where it did not end as it had."""
        if self.again.status is not self.recorded.status:
            return Likeness.DIFFERENT
        found = {figure.likeness for figure in self.figures}
        for word in (Likeness.DIFFERENT, Likeness.WITHIN):
            if word in found:
                return word
        return Likeness.EQUAL

    @property
    def data_changed(self) -> bool:
        return "data.sha256" in self.changes


def compare_records(recorded: Record, curves: Sequence[Series], again: Record) -> Reproduction:
    """Compare `again` (with its series) with `recorded` and its `curves`."""
    tolerance = TOLERANCES[recorded.trial.execution.precision].loss_50
    figures = [_scalar(name, recorded.scalars, again.scalars, tolerance) for name in _names(recorded, again)]
    before = {one.name: one for one in curves if not one.name.startswith(MEASURED)}
    after = {one.name: one for one in again.series if one.x and not one.name.startswith(MEASURED)}
    named = [*before, *(name for name in after if name not in before)]
    figures += [_curve(name, before.get(name), after.get(name), tolerance) for name in named]
    return Reproduction(recorded, again, tuple(figures), _changes(recorded, again))


def _names(*records: Record) -> Iterable[str]:
    return dict.fromkeys(name for record in records for name in record.scalars)


def _scalar(
    name: str, old: Mapping[str, float], new: Mapping[str, float], tolerance: float
) -> ReproducedFigure:
    a, b = old.get(name, math.nan), new.get(name, math.nan)
    if name.startswith(MEASURED):
        return ReproducedFigure(name, a, b, _error([a], [b]), Likeness.MEASURED)
    if (name in old) is not (name in new):
        return ReproducedFigure(name, a, b, math.inf, Likeness.DIFFERENT)
    # what parity finds is rounding itself: it is compared as a share of what is allowed
    error = abs(a - b) if name == "parity/worst_ratio" else _error([a], [b])
    allowed = 1.0 if name.startswith("parity/") else tolerance
    return ReproducedFigure(name, a, b, error, _likeness(a == b or (a != a and b != b), error, allowed))


def _curve(name: str, old: Series | None, new: Series | None, tolerance: float) -> ReproducedFigure:
    a, b = (old.y if old else []), (new.y if new else [])
    if old is None or new is None or old.x != new.x:
        return ReproducedFigure(name, _last(a), _last(b), math.inf, Likeness.DIFFERENT)
    same = all(x == y or (x != x and y != y) for x, y in zip(a, b, strict=True))
    error = _error(a, b)
    return ReproducedFigure(name, _last(a), _last(b), error, _likeness(same, error, tolerance))


def _last(values: Sequence[float]) -> float:
    return values[-1] if values else math.nan


def _error(old: Sequence[float], new: Sequence[float]) -> float:
    finite = [(a, b) for a, b in zip(old, new, strict=True) if a != b and not (a != a and b != b)]
    if not finite:
        return 0.0
    scale = max((abs(a) for a in old if math.isfinite(a)), default=0.0)
    worst = max(abs(a - b) for a, b in finite)
    return worst / scale if scale and math.isfinite(worst) else math.inf


def _likeness(same: bool, error: float, allowed: float) -> Likeness:
    if same:
        return Likeness.EQUAL
    return Likeness.WITHIN if error <= allowed else Likeness.DIFFERENT


def _changes(recorded: Record, again: Record) -> dict[str, tuple[str, str]]:
    if recorded.status is not again.status:  # a trial that did not finish says little about its environment
        return {"status": (str(recorded.status), f"{again.status}: {again.reason}")}
    found: dict[str, tuple[str, str]] = {}
    old, new = recorded.environment, again.environment
    for name in sorted({*old, *new}):
        compared = name.startswith(ENVIRONMENT) and not name.endswith("_seconds")
        if compared and old.get(name) != new.get(name):
            if name == DISTRIBUTIONS:
                found |= _versions(old.get(name, ""), new.get(name, ""))
            else:
                found[name] = (old.get(name, ""), new.get(name, ""))
    if recorded.fingerprint != again.fingerprint:
        found["code of the core and the plugins"] = (recorded.fingerprint[:12], again.fingerprint[:12])
    if recorded.kernel != again.kernel:
        found["kernel"] = (recorded.kernel, again.kernel)
    return found


def _versions(old: str, new: str) -> dict[str, tuple[str, str]]:
    """Of `name==1.2, ...`: what has another version, or is there on one side only."""
    before, after = (
        dict(part.split("==", 1) for part in text.split(", ") if "==" in part) for text in (old, new)
    )
    return {
        f"version of {name}": (before.get(name, "absent"), after.get(name, "absent"))
        for name in sorted({*before, *after}, key=str.lower)
        if before.get(name) != after.get(name)
    }
