"""Numbers, units and lists of words as people read them: one formatter for the terminal and for every report.

Digits follow the uncertainty where there is one, and else are four. A group of values, such as a column of a
table, shares a unit; where its values are too far apart for that, each has a unit of its own. Infinite is `∞`,
not a number is `NaN`, and a value that is absent is an empty text.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.contracts.report import Form, Value

SECOND_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BYTE_UNITS = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
UNITS = {"seconds": SECOND_UNITS, "bytes": BYTE_UNITS}
MINUS = "−"
DIGITS = 4
"""Significant digits of a number whose uncertainty is not known."""
ROUGH_DIGITS = 2
"""Significant digits of a number that is known to be rough, such as a timing that was not steady."""
COST_DIGITS = 3
"""Significant digits of what one way takes over what another one takes: 1.02 is a difference."""
WIDE_RANGE = 1000.0
"""Ratio of the largest to the smallest value of a group above which one unit does not suit all of them."""
LONGEST_EXPONENT = 400
"""Powers of ten beyond those of float64: rounding to so many decimals changes nothing."""


def format_number(value: float, digits: int = DIGITS, *, scientific: bool = False) -> str:
    """A number to so many significant digits, with a true minus sign and separators of thousands.

    Zeros at the end of decimals are left out. Powers of ten are used from 1e9 on and below 1e-4, and with two
    digits for all numbers where `scientific`.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    size = abs(value)
    if not scientific and size < 1e9:
        size = float(f"{size:.{digits - 1}e}")
    if scientific or not 1e-4 <= size < 1e9:
        mantissa, _, power = f"{size:.1e}".partition("e")
        text = f"{mantissa.removesuffix('.0')}e{int(power)}".replace("e-", f"e{MINUS}")
    elif size >= 1000:
        text = f"{size:,.0f}"
    else:
        text = f"{size:.{max(digits, 3)}g}"
    return f"{MINUS}{text}" if value < 0 else text


def format_decimals(value: float, decimals: int) -> str:
    """A number rounded to so many decimals; a negative number of them rounds to tens, hundreds and so on."""
    if not math.isfinite(value) or abs(value) >= 1e15 or abs(decimals) > LONGEST_EXPONENT:
        return format_number(value)
    rounded = round(value, decimals)
    text = f"{abs(rounded):,.{max(0, decimals)}f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def format_uncertain(value: float, uncertainty: float | None) -> tuple[str, str]:
    """A value and its uncertainty as two texts, to the digits that the uncertainty leaves: two of its own where
    it begins with a small digit, else one (the rule of the Particle Data Group). The second text is empty where
    the uncertainty is not known.

    :param uncertainty: half the width of an interval, in the value's unit.
    """
    if uncertainty is None or not math.isfinite(uncertainty) or not math.isfinite(value):
        return format_number(value), ""
    if uncertainty == 0:
        return format_number(value), "0"
    power = math.floor(math.log10(abs(uncertainty)))
    digits = 2 if abs(uncertainty) / 10.0**power < 3.55 else 1
    decimals = digits - 1 - power
    if decimals > 8 or abs(value) >= 1e9 or abs(uncertainty) >= 1e9:
        return format_number(value), format_number(uncertainty, digits, scientific=True)
    return format_decimals(value, decimals), format_decimals(abs(uncertainty), decimals)


@dataclass(frozen=True)
class Scale:
    """How the values of a group are written.

    by        what a value is divided by
    unit      of all values; "" for none, and where each value has its own
    decimals  of all values; None: each has the digits that it needs
    own_unit  whether each value is written with a unit of its own
    """

    form: Form
    by: float = 1.0
    unit: str = ""
    decimals: int | None = None
    own_unit: bool = False

    def format(self, value: Value) -> str:
        """The value, without the unit that all share."""
        return self.format_uncertain(value, None)[0]

    def format_uncertain(self, value: Value, uncertainty: float | None) -> tuple[str, str]:
        """The value and its uncertainty, without the unit that all share. A unit of its own follows the last
        of the two."""
        if value is None:
            return "", ""
        if isinstance(value, bool):
            return ("yes" if value else "no"), ""
        if isinstance(value, str):
            return value, ""
        if self.form == "date":
            return format_date(value), ""
        if self.own_unit and value and math.isfinite(value):
            return _with_own_unit(value, uncertainty, self.form)
        if uncertainty is not None and math.isfinite(uncertainty):
            return format_uncertain(value / self.by, uncertainty / self.by)
        if self.decimals is not None and math.isfinite(value):
            return format_decimals(value / self.by, self.decimals), ""
        return format_number(value / self.by, scientific=self.form == "scientific"), ""


def _with_own_unit(value: float, uncertainty: float | None, form: Form) -> tuple[str, str]:
    if form == "seconds" and 120 <= abs(value) < 1e8 and uncertainty is None:
        return format_duration(value), ""
    scale = scale_for(form, [value])
    text, half = scale.format_uncertain(value, uncertainty)
    return (text, f"{half} {scale.unit}") if half else (f"{text} {scale.unit}", "")


def scale_for(form: Form, values: Sequence[float]) -> Scale:
    """The scale under which `values` are read most easily: a unit near their median, and decimals that suit the
    largest and leave something of the smallest, where they are not too far apart for that."""
    sizes = sorted(abs(value) for value in values if math.isfinite(value) and value)
    by, unit = (0.01, "%") if form == "share" else (1.0, "")
    if form in ("text", "date") or not sizes:
        return Scale(form, by, unit)
    if form in UNITS:
        if sizes[-1] > WIDE_RANGE * sizes[0]:
            return Scale(form, own_unit=True)
        by, unit = _unit(sizes[len(sizes) // 2], UNITS[form])
    low, high = sizes[0] / by, sizes[-1] / by
    if form == "integer":
        return Scale(form, decimals=0)
    if form in ("scientific", "mixed", "rate") or high >= 1e7 or high < 1e-3:
        return Scale(form, by, unit)
    if form in ("share", "bytes") and high >= 1:
        return Scale(form, by, unit, 1 if high < 100 else 0)
    if high > WIDE_RANGE * low:
        return Scale(form, by, unit)
    digits = DIGITS if form == "number" else 3
    power = math.floor(math.log10(high))
    smallest = digits - 1 - math.floor(math.log10(low))
    return Scale(form, by, unit, max(0, min(6, max(digits - 1 - power, min(smallest, digits - power)))))


def _unit(size: float, units: Sequence[tuple[float, str]]) -> tuple[float, str]:
    return next(((by, unit) for by, unit in units if size >= by), units[-1])


def format_value(
    value: Value,
    uncertainty: float | None = None,
    *,
    form: Form = "number",
    unit: str = "",
    rough: bool = False,
) -> str:
    """One value by itself: `0.70 ± 0.19`, `413 MiB`, `1.25 ms`, `12.5 %`, `33 steps`, `∞`; "" for none.

    :param uncertainty: half the width of its interval, in the same unit as `value`.
    :param form: what the value is; seconds, bytes and shares have units of their own.
    :param unit: a word that follows a finite value. :param rough: only two digits are significant.
    """
    if value is None or isinstance(value, str | bool):
        return Scale(form).format(value)
    if rough and math.isfinite(value) and value:
        value, uncertainty = float(f"{value:.{ROUGH_DIGITS - 1}e}"), None
    if form == "seconds" and uncertainty is None and 120 <= value < 1e8:
        return format_duration(value)
    scale = Scale(form) if form in ("number", "mixed", "rate") else scale_for(form, [value])
    text, half = scale.format_uncertain(value, uncertainty)
    words = [f"{text} ± {half}" if half else text, *(one for one in (scale.unit, unit) if one)]
    return " ".join(words) if text and math.isfinite(value) else text


def format_date(seconds: float) -> str:
    """`2026-11-25 08:26 UTC` of a POSIX time; "" for 0, which means unknown."""
    if not 0 < seconds < 2.5e11:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def format_duration(seconds: float) -> str:
    """`2 min 5 s`, `1 h 9 min`: two units are enough."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((at for at, (number, _) in enumerate(parts) if number), 3)
    text = " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number) or "0 s"
    return f"{MINUS}{text}" if seconds < 0 else text


def format_count(number: int, one: str, many: str = "") -> str:
    """`1 trial`, `12 trials`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def format_list(words: Sequence[str], last: str = "and", most: int | None = None) -> str:
    """`a`, `a and b`, `a, b and c`; of more than `most` words the others are counted: `a, b and 3 more`."""
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def format_ratio(ratio: float) -> str:
    """`1.3`, `12`: how many times, to two digits."""
    return format_number(ratio, ROUGH_DIGITS)
