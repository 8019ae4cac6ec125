"""Curves as SVG, drawn here: a thousandth of what a chart library costs, and there without a script.

Colours and sizes are the style sheet's, so that a curve follows the theme; the page's script reads values
off it through the `data-` attributes of its frame.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from benchsuite.contracts.report import Line, LineChart, Upright
from benchsuite.report.formatting import format_date, format_number
from benchsuite.report.looks import DASHES, LIGHT

DRAWING_WIDTH, DRAWING_HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 32
POINTS = 160
"""Most points of a line: half as many as the frame has pixels on a small screen."""
COLOURS = len(LIGHT)
DAY = 86400.0
ENORMOUS = 1e150
FEW = 20
"""Points up to which each of them has a dot."""


def draw(curves: LineChart) -> tuple[Markup, list[tuple[str, int]]]:
    """The drawing, and its legend: (name, place of the look)."""
    lines = [(line, *_points(line, curves.log)) for line in curves.lines]
    lines = [one for one in lines if len(one[1])]
    if not lines:
        return Markup('<p class="note">No finite value to draw.</p>'), []
    legend = [(line.name, place % COLOURS) for place, (line, _, _) in enumerate(lines)]
    frame = _Frame.around(
        np.concatenate([x for _, x, _ in lines]),
        np.concatenate([y for _, _, y in lines] + [_bound(line, curves.log) for line, _, _ in lines]),
        curves.log,
    )
    parts = [frame.axes(curves.x, curves.y, curves.dates)]
    parts += [frame.upright(one) for one in curves.uprights if frame.x0 <= one.x <= frame.x1]
    for place, (line, x, y) in enumerate(lines):
        colour = place % COLOURS
        if line.low is not None and line.high is not None:
            parts.append(frame.band(line, colour))
        parts.append(frame.line(x, y, colour, line.name))
    label = html.escape(f"{curves.title}: {curves.y} by {curves.x}")
    # only numbers and escaped texts come together here and below: Markup.format would cost ten times as much
    return Markup(
        f'<svg class="curve" viewBox="0 0 {DRAWING_WIDTH} {DRAWING_HEIGHT}" role="img" aria-label="{label}" '
        f'data-x0="{frame.x0:.7g}" data-x1="{frame.x1:.7g}" data-y0="{frame.y0:.7g}" data-y1="{frame.y1:.7g}" '
        f'data-log="{int(curves.log)}"{" data-dates" if curves.dates else ""}>{"".join(parts)}</svg>'
    ), legend


def _bound(line: Line, log: bool) -> np.ndarray:
    """The values of a line's band that can be drawn."""
    values = np.array([*(line.low or ()), *(line.high or ())], np.float64)
    return np.asarray(values[_drawable(values, log)])


def _points(line: Line, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """Finite points in the order of x, thinned out."""
    x, y = _arrays(line.x, line.y)
    kept = _drawable(x, False) & _drawable(y, log)
    return thinned(x[kept], y[kept])


def _arrays(*parts: Sequence[float]) -> list[np.ndarray]:
    """As arrays, all as long as the shortest."""
    length = min(map(len, parts))
    return [np.asarray(part[:length], np.float64) for part in parts]


def _drawable(values: np.ndarray, log: bool) -> np.ndarray:
    """Which of the values have a place on paper; beyond ENORMOUS their differences would overflow."""
    size = np.abs(values)
    return np.asarray((size < ENORMOUS) & (((values > 0) & (size > 1 / ENORMOUS)) | (not log)))


def thinned(x: np.ndarray, y: np.ndarray, most: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` points: the lowest and the highest of each stretch, so that no spike is lost."""
    if len(x) <= most:
        return x, y
    size = -(-len(y) // (most // 2))
    whole = len(y) // size * size
    stretches, starts = y[:whole].reshape(-1, size), np.arange(0, whole, size)
    rest = [whole + int(y[whole:].argmin()), whole + int(y[whole:].argmax())] if whole < len(y) else []
    found = [starts + stretches.argmin(axis=1), starts + stretches.argmax(axis=1), [0, *rest, len(y) - 1]]
    places = np.unique(np.concatenate(found).astype(int))
    return x[places], y[places]


class _Frame:
    """The plane between the axes. y0 and y1 are values, of log10(y) where y is drawn by its logarithm."""

    def __init__(self, x0: float, x1: float, y0: float, y1: float, log: bool) -> None:
        self.x0, self.x1, self.y0, self.y1, self.log = x0, x1, y0, y1, log

    @classmethod
    def around(cls, xs: np.ndarray, ys: np.ndarray, log: bool) -> _Frame:
        values = np.log10(ys) if log else ys
        x0, x1 = float(xs.min()), float(xs.max())
        y0, y1 = float(values.min()), float(values.max())
        if x1 - x0 <= 1e-12 * max(abs(x0), abs(x1)):
            spare = max(0.5, abs(x0) * 1e-6)  # half a step, or what changes a number too large for that
            x0, x1 = x0 - spare, x1 + spare
        if y1 - y0 <= 1e-12 * max(abs(y0), abs(y1)):
            spare = 0.5 if log else abs(y0) * 0.1 or 0.5
            y0, y1 = y0 - spare, y1 + spare
        spare = 0.04 * (y1 - y0)
        return cls(x0, x1, y0 - spare, y1 + spare, log)

    def across(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(LEFT + (x - self.x0) / (self.x1 - self.x0) * (DRAWING_WIDTH - LEFT - RIGHT))

    def down(self, y: np.ndarray) -> np.ndarray:
        values = np.log10(y) if self.log else y
        share = (values - self.y0) / (self.y1 - self.y0)
        return np.asarray(DRAWING_HEIGHT - BOTTOM - share * (DRAWING_HEIGHT - TOP - BOTTOM))

    def line(self, x: np.ndarray, y: np.ndarray, colour: int, name: str) -> str:
        across, down = self.across(x).tolist(), self.down(y).tolist()
        dots = ""
        if len(across) <= FEW:
            places = "".join(f"M{one:.1f} {other:.1f}h0" for one, other in zip(across, down, strict=True))
            dots = f'<path class="dots c{colour}" d="{places}"/>'
        points = _path(across, down)
        dash = f' stroke-dasharray="{" ".join(map(str, DASHES[colour]))}"' if colour else ""
        own = f'data-name="{html.escape(name)}"'
        return f'<polyline class="line c{colour}" points="{points}"{dash} {own}/>{dots}'

    def band(self, line: Line, colour: int) -> str:
        x, low, high = _arrays(line.x, line.low or (), line.high or ())
        kept = _drawable(x, False) & _drawable(low, self.log) & _drawable(high, self.log)
        x, low, high = x[kept], low[kept], high[kept]
        across = self.across(x).tolist()
        path = _path([*across, *across[::-1]], [*self.down(low).tolist(), *self.down(high).tolist()[::-1]])
        return f'<polygon class="band c{colour}" points="{path}"/>'

    def upright(self, one: Upright) -> str:
        at = float(self.across(np.array([one.x]))[0])
        return (
            f'<path class="upright" d="M{at:.1f} {TOP}V{DRAWING_HEIGHT - BOTTOM}">'
            f"<title>{html.escape(one.text)}</title></path>"
        )

    def axes(self, x_name: str, y_name: str, dates: bool) -> str:
        floor, right = DRAWING_HEIGHT - BOTTOM, DRAWING_WIDTH - RIGHT
        parts = []
        marks = days(self.x0, self.x1) if dates else ticks(self.x0, self.x1, 4, whole=True)
        for value in marks:
            at = LEFT + (value - self.x0) / (self.x1 - self.x0) * (right - LEFT)
            text = format_date(value)[:10] if dates else format_number(value)
            end = at + 3 * len(text) > DRAWING_WIDTH  # half of its width: the label would be cut
            anchor, place = ("end", DRAWING_WIDTH) if end else ("middle", at)
            parts.append(
                f'<text class="tick" x="{place:.1f}" y="{floor + 12}" text-anchor="{anchor}">{text}</text>'
            )
        marks = _decades(self.y0, self.y1) if self.log else ticks(self.y0, self.y1, 4)
        for value in marks:
            share = ((math.log10(value) if self.log else value) - self.y0) / (self.y1 - self.y0)
            at = floor - share * (floor - TOP)
            parts.append(f'<path class="rule" d="M{LEFT} {at:.1f}H{right}"/>')
            parts.append(
                f'<text class="tick" x="{LEFT - 5}" y="{at + 3:.1f}" text-anchor="end">'
                f"{format_number(value)}</text>"
            )
        low = DRAWING_HEIGHT - 5
        parts.append(
            f'<text class="axis" x="{right}" y="{low}" text-anchor="end">{html.escape(x_name)}</text>'
        )
        parts.append(f'<text class="axis" x="2" y="{low}">{html.escape(y_name)}</text>')
        return "".join(parts)


def _path(across: Sequence[float], down: Sequence[float]) -> str:
    return " ".join([f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True)])


def ticks(low: float, high: float, about: int, whole: bool = False) -> Sequence[float]:
    """Round values between the bounds: multiples of 1, 2 or 5 times a power of ten.

    :param whole: integers alone, as of what is counted, where there are any.
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    if whole and math.floor(high) > math.ceil(low):
        step = max(step, 1.0)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def days(low: float, high: float) -> Sequence[float]:
    """At most four begins of days, in POSIX seconds, from `low` to `high`; what is between them where no day
    begins there."""
    first, last = math.ceil(low / DAY), math.floor(high / DAY)
    if first > last:
        return [(low + high) / 2]
    stride = max(1, math.ceil((last - first + 1) / 4))
    return [DAY * day for day in range(first, last + 1, stride)]


def _decades(low: float, high: float) -> Sequence[float]:
    """Powers of ten between 10**low and 10**high, at most five; with fewer than two, 1, 2 and 5 times them, and
    round values where there are none of those either."""
    first, last = math.ceil(low), math.floor(high)
    if last - first < 1:
        between = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
        found = [value for value in between if low <= math.log10(value) <= high]
        return found if len(found) > 1 else [value for value in ticks(10.0**low, 10.0**high, 3) if value > 0]
    stride = max(1, math.ceil((last - first + 1) / 5))
    return [10.0**power for power in range(first, last + 1, stride)]
