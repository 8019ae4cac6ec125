"""Numbers as people read them: as many digits as mean something, and a unit that suits the size."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.contracts.report import Form, Value

SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
MINUS = "−"
NOTHING = ""


@dataclass(frozen=True)
class Scale:
    """How all values of a column are written: value / `by`, to so many `decimals` (None: each as it needs),
    in `unit`."""

    form: Form
    by: float = 1.0
    unit: str = ""
    decimals: int | None = None

    def write(self, value: Value) -> str:
        """The value without its unit."""
        if value is None:
            return NOTHING
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, str):
            return value
        if self.form == "date":
            return date(value)
        return figure(value / self.by, self.decimals, scientific=self.form == "scientific")


def figure(value: float, decimals: int | None = None, *, scientific: bool = False) -> str:
    """A number with a true minus sign and separators of thousands; four significant digits unless `decimals`
    says otherwise; powers of ten where there would be many zeros."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    size = abs(value)
    if decimals is not None and not scientific and size < 1e15:
        text = f"{size:,.{decimals}f}"
    elif scientific or size >= 1e9 or size < 1e-4:
        mantissa, _, power = f"{size:.1e}".partition("e")
        text = f"{mantissa.removesuffix('.0')}e{int(power)}".replace("e-", f"e{MINUS}")
    elif size >= 1000:
        text = f"{size:,.0f}"
    else:
        text = f"{size:.4g}"
    return f"{MINUS}{text}" if value < 0 else text


def date(seconds: float) -> str:
    """`2026-11-25 08:26 UTC` of a POSIX time; nothing for 0, which stands for unknown."""
    if not 0 < seconds < 2.5e11:
        return NOTHING
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def scale_for(form: Form, values: Sequence[float]) -> Scale:
    """The scale under which `values` are read most easily: a unit near their median, and decimals that suit the
    largest and leave something of the smallest, where they are not too far apart for that."""
    sizes = sorted(abs(value) for value in values if math.isfinite(value) and value)
    if form in ("text", "date") or not sizes:
        return Scale(form, unit="%" if form == "share" else "", by=0.01 if form == "share" else 1.0)
    middle = sizes[len(sizes) // 2]
    by, unit = 1.0, ""
    if form == "seconds":
        by, unit = _unit(middle, SECONDS)
    elif form == "bytes":
        by, unit = _unit(middle, BYTES)
    elif form == "share":
        by, unit = 0.01, "%"
    elif form in ("integer", "rate"):
        return Scale(form, decimals=0 if form == "integer" or sizes[-1] >= 100 else None)
    elif form in ("scientific", "mixed"):
        return Scale(form)
    low, high = sizes[0] / by, sizes[-1] / by
    if form in ("share", "bytes"):
        return Scale(form, by, unit, 1 if high < 100 else 0)
    if high / low > 1000 or high >= 1e7 or high < 1e-3:
        return Scale(form, by, unit, None)
    digits = 4 if form == "number" else 3
    power = math.floor(math.log10(high))
    smallest = 1 - math.floor(math.log10(low))
    return Scale(form, by, unit, max(0, min(6, max(digits - 1 - power, min(smallest, digits - power)))))


def _unit(size: float, units: Sequence[tuple[float, str]]) -> tuple[float, str]:
    return next(((by, unit) for by, unit in units if size >= by), units[-1])


def alone(value: Value, form: Form) -> str:
    """One value with its unit: `413 MiB`, `1.25 ms`, `12.5 %`."""
    if value is None or isinstance(value, str | bool):
        return Scale(form).write(value)
    if form == "seconds" and 120 <= value < 1e8:
        return duration(value)
    scale = Scale(form) if form in ("number", "mixed") else scale_for(form, [value])
    text = scale.write(value)
    return f"{text} {scale.unit}" if scale.unit and text and math.isfinite(value) else text


def duration(value: float) -> str:
    """`2 min 5 s`, `1 h 9 min`: two units are enough."""
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(at for at, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def seconds(value: float) -> str:
    return alone(value, "seconds")


def with_half(value: float, half: float | None, by: float = 1.0) -> tuple[str, str]:
    """A mean and half its interval as texts, to the digits that the interval leaves: two of its own where it
    begins with a small digit, else one (the rule of the Particle Data Group)."""
    if half is None or not math.isfinite(half):
        return figure(value / by), ""
    value, half = value / by, half / by
    if half == 0:
        return figure(value), "0"
    power = math.floor(math.log10(half))
    digits = 2 if half / 10.0**power < 3.55 else 1
    decimals = max(0, min(8, digits - 1 - power))
    return figure(value, decimals), f"{half:,.{decimals}f}"


def estimate(mean: float, half: float | None, form: Form = "number") -> str:
    """`0.981 ± 0.004`, or the mean alone."""
    scale = scale_for(form, [mean])
    value, spread = with_half(mean, half, scale.by)
    unit = f" {scale.unit}" if scale.unit else ""
    return f"{value} ± {spread}{unit}" if spread else f"{value}{unit}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 trial`, `12 trials`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def times(ratio: float) -> str:
    """`1.3`, `12`: how many times, to two digits."""
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"
