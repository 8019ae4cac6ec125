"""Logarithmic axes whose marks can be read: powers of ten, steps of 1, 2 and 5 between few of them, or
equal steps where the axis is too short for those."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import altair as alt

MOST_MARKS = 7
BEYOND = 1.2
"""An axis begins and ends this many times below and above what is drawn."""


def marks(low: float, high: float) -> list[float]:
    """Round values from about `low` to about `high`, positive numbers both; at most MOST_MARKS of them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = last - first
    if powers <= 2:
        found = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
        inside = [value for value in found if low / 1.01 <= value <= high * 1.01]
        if 2 <= len(inside) <= MOST_MARKS:
            return inside
        if len(inside) < 2:
            return _equal_steps(low / BEYOND, high * BEYOND)
    stride = max(1, math.ceil((powers + 1) / MOST_MARKS))
    return [10.0**power for power in range(first, last + 1, stride)]


def _equal_steps(low: float, high: float) -> list[float]:
    """The multiples of 1, 2 or 5 times a power of ten between two positive numbers: two to six of them."""
    least = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    return [at * step for at in range(math.ceil(low / step), math.floor(high / step) + 1)]


def log_axis(
    values: Iterable[float], unit: str = "", at: Iterable[float] = (), **axis: Any
) -> dict[str, Any]:
    """Scale and axis, as keywords of an Altair channel, for positive numbers.

    :param values: all that is drawn. :param unit: `si` writes 10M for ten millions.
    :param at: what to mark, where that are few values; round ones otherwise.
    :param axis: further settings of the axis.
    """
    known = [value for value in values if value > 0 and math.isfinite(value)]
    low, high = min(known), max(known)
    chosen = sorted(set(at))
    if not 2 <= len(chosen) <= MOST_MARKS:
        chosen = marks(low, high)
    label = "format(datum.value, '~s')" if unit == "si" else PLAIN_NUMBERS
    return {
        "scale": alt.Scale(type="log", domain=[low / BEYOND, high * BEYOND], nice=False),
        "axis": alt.Axis(values=chosen, labelExpr=label, **axis),
    }


PLAIN_NUMBERS = (
    "datum.value >= 0.001 && datum.value < 1e6 ? format(datum.value, '~g') : "
    "replace(format(datum.value, '~e'), '+', '')"
)
"""How labels are written: 1e-6 and 1e6 rather than 0.000001 and 1000000."""
