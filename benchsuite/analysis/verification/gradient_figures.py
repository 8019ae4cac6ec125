"""Gradient statistics: scalars, curves and the verdict say the same."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from benchsuite.analysis.verification.evidence import Evidence, differs
from benchsuite.schema.thresholds import EXPLODING, VANISHING

GROUPED = ("norm", "maximum", "zero_fraction")
FITTED = 1e-6
"""Relative difference of two fits of one line."""


def gradient_faults(found: Evidence) -> Iterator[str]:
    """What is wrong with the gradient statistics of a record."""
    if not found.ended_well:
        return
    for figure in GROUPED:
        curve = found.series.get(f"gradient/{figure}/all")
        if curve is None:
            yield found.fault(f"the curve gradient/{figure}/all is missing")
            continue
        for moment, value in (("start", curve.y[0]), ("end", curve.y[-1])):
            name = f"gradient/{figure}_{moment}"
            if fault := differs(found, name, value, f"the curve {curve.name} has"):
                yield fault
        if any(value < 0 or (figure == "zero_fraction" and value > 1) for value in curve.y):
            yield found.fault(f"{curve.name} has a value that no such figure can have")
    yield from _decay(found)
    yield from _verdict(found)


def _decay(found: Evidence) -> Iterator[str]:
    """Slope, half-life and change belong together, and the slope is that of a recorded profile."""
    scalars = found.record.scalars
    for moment in ("start", "end"):
        slope = scalars.get(f"gradient/slope_per_step_{moment}", math.nan)
        if not math.isfinite(slope):
            continue
        half_life = math.log(2) / -slope if slope < 0 else math.inf
        if fault := differs(found, f"gradient/half_life_steps_{moment}", half_life, "by the slope it is"):
            yield fault
        fits = list(_fits(found, moment))
        if fits and not any(math.isclose(slope, fit, rel_tol=FITTED, abs_tol=1e-12) for fit, _ in fits):
            yield found.fault(f"gradient/slope_per_step_{moment} is that of no curve of |dL/dh|")
        change = scalars.get(f"gradient/change_{moment}")
        if fits and change and not any(math.isclose(change, own, rel_tol=1e-5) for _, own in fits):
            yield found.fault(f"gradient/change_{moment} is that of no curve of |dL/dh|")
    end = scalars.get("gradient/half_life_steps_end")
    if end is not None and (
        fault := differs(found, "gradient/half_life_steps", end, "gradient/half_life_steps_end is")
    ):
        yield fault


def _fits(found: Evidence, moment: str) -> Iterator[tuple[float, float]]:
    """Slope and change of the line through ln|dL/dh| by lag, of each layer that is read forwards."""
    for name, curve in found.series.items():
        if not (name.startswith("gradient/state/") and name.endswith(f"/{moment}")):
            continue
        lags, values = np.asarray(curve.x), np.asarray(curve.y)
        alive = values > 0
        if alive.sum() < 2:
            continue
        centred = lags[alive] - lags[alive].mean()
        slope = float(centred @ np.log(values[alive]) / (centred @ centred))
        yield slope, float(np.exp(np.clip(slope * lags[-1], -700, 700)))


def _verdict(found: Evidence) -> Iterator[str]:
    """A verdict on the decay follows from what is left of the gradient, before training or after it."""
    verdict = found.record.verdicts.get("gradient", "")
    if verdict in ("undefined", "truncated", ""):
        return
    words = set()
    for moment in ("start", "end"):
        change = found.scalar(f"gradient/change_{moment}")
        if change is None or math.isnan(change):
            return
        words.add("vanishing" if change < VANISHING else "exploding" if change > EXPLODING else "stable")
    if verdict not in words or (verdict == "stable" and len(words) > 1):
        yield found.fault(
            f"the verdict on its gradient is {verdict}, and its figures say {', '.join(sorted(words))}"
        )
