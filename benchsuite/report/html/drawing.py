"""Curves as SVG, drawn here: a thousandth of what a chart library costs, and there without a script.

Colours and sizes are the style sheet's, so that a curve follows the theme; the page's script reads values
off it through the `data-` attributes of its frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from benchsuite.contracts import Curves, Line
from benchsuite.report.words import figure

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 32
POINTS = 160
"""Most points of a line: half as many as the frame has pixels on a small screen."""
COLOURS = 8


def draw(curves: Curves) -> tuple[Markup, list[tuple[str, int]]]:
    """The drawing, and its legend: (name, number of the colour)."""
    lines = [(line, *_points(line, curves.log)) for line in curves.lines]
    lines = [one for one in lines if len(one[1])]
    legend = [(line.name, place % COLOURS) for place, (line, _, _) in enumerate(lines)]
    label = f"{curves.title}: {curves.y} by {curves.x}"
    if not lines:
        return Markup('<p class="note">No finite value to draw.</p>'), []
    xs = np.concatenate([x for _, x, _ in lines])
    ys = np.concatenate([y for _, _, y in lines])
    for line, _, _ in lines:
        for bound in (line.low, line.high):
            if bound is not None:
                values = np.asarray(bound, np.float64)
                ys = np.concatenate([ys, values[np.isfinite(values) & ((values > 0) | (not curves.log))]])
    frame = _Frame.around(xs, ys, curves.log)
    parts = [frame.axes(curves.x, curves.y)]
    for place, (line, x, y) in enumerate(lines):
        colour = place % COLOURS
        if line.low is not None and line.high is not None:
            parts.append(frame.band(line, colour))
        parts.append(frame.line(x, y, colour, line.name))
    return Markup(
        '<svg class="curve" viewBox="0 0 {w} {h}" role="img" aria-label="{label}" data-x0="{x0}" '
        'data-x1="{x1}" data-y0="{y0}" data-y1="{y1}" data-log="{log}">{parts}</svg>'
    ).format(
        w=WIDTH, h=HEIGHT, label=label, parts=Markup().join(parts), log=int(curves.log),
        x0=f"{frame.x0:.7g}", x1=f"{frame.x1:.7g}", y0=f"{frame.y0:.7g}", y1=f"{frame.y1:.7g}",
    ), legend  # fmt: skip


def _points(line: Line, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """Finite points in the order of x, thinned out."""
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    kept = np.isfinite(x) & np.isfinite(y) & ((y > 0) | (not log))
    return thinned(x[kept], y[kept])


def thinned(x: np.ndarray, y: np.ndarray, most: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` points: the lowest and the highest of each stretch, so that no spike is lost."""
    if len(x) <= most:
        return x, y
    edges = np.linspace(0, len(x), most // 2 + 1).astype(int)
    kept: list[int] = []
    for start, end in pairwise(edges.tolist()):
        part = y[start:end]
        kept += sorted({start + int(part.argmin()), start + int(part.argmax())})
    places = np.array(sorted({0, *kept, len(x) - 1}))
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
        if x1 == x0:
            x0, x1 = x0 - 0.5, x1 + 0.5
        if y1 - y0 <= 1e-12 * max(abs(y0), abs(y1)):
            spare = abs(y0) * 0.1 or 0.5
            y0, y1 = y0 - spare, y1 + spare
        spare = 0.04 * (y1 - y0)
        return cls(x0, x1, y0 - spare, y1 + spare, log)

    def across(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(LEFT + (x - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT))

    def down(self, y: np.ndarray) -> np.ndarray:
        values = np.log10(y) if self.log else y
        share = (values - self.y0) / (self.y1 - self.y0)
        return np.asarray(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))

    def line(self, x: np.ndarray, y: np.ndarray, colour: int, name: str) -> Markup:
        across, down = self.across(x), self.down(y)
        title = Markup("<title>{}</title>").format(name) if name else Markup()
        if len(x) <= 20:
            dots = Markup().join(
                Markup('<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="2"/>').format(colour, one, other)
                for one, other in zip(across, down, strict=True)
            )
        else:
            dots = Markup()
        return Markup('<polyline class="line c{}" points="{}" data-name="{}">{}</polyline>{}').format(
            colour, _path(across, down), name, title, dots
        )

    def band(self, line: Line, colour: int) -> Markup:
        x, low, high = (np.asarray(part, np.float64) for part in (line.x, line.low, line.high))
        kept = np.isfinite(x + low + high) & ((low > 0) | (not self.log))
        x, low, high = x[kept], low[kept], high[kept]
        path = _path(np.concatenate([self.across(x), self.across(x)[::-1]]),
                     np.concatenate([self.down(low), self.down(high)[::-1]]))  # fmt: skip
        return Markup('<polygon class="band c{}" points="{}"/>').format(colour, path)

    def axes(self, x_name: str, y_name: str) -> Markup:
        floor = HEIGHT - BOTTOM
        parts = []
        for value in ticks(self.x0, self.x1, 4):
            at = float(self.across(np.array(value)))
            parts.append(
                Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    at, floor + 12, figure(value)
                )
            )
        marks = _decades(self.y0, self.y1) if self.log else ticks(self.y0, self.y1, 4)
        for value in marks:
            at = float(self.down(np.array(value)))
            parts.append(
                Markup('<line class="rule" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                    LEFT, WIDTH - RIGHT, at, at
                )
            )
            parts.append(
                Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                    LEFT - 5, at + 3, figure(value)
                )
            )
        parts.append(
            Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>').format(
                WIDTH - RIGHT, HEIGHT - 5, x_name
            )
        )
        parts.append(Markup('<text class="axis" x="2" y="{}">{}</text>').format(HEIGHT - 5, y_name))
        return Markup().join(parts)


def _path(across: np.ndarray, down: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across.tolist(), down.tolist(), strict=True))


def ticks(low: float, high: float, about: int) -> Sequence[float]:
    """Round values between the bounds: multiples of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> Sequence[float]:
    """Powers of ten between 10**low and 10**high, at most five; round values where there is no power."""
    first, last = math.ceil(low), math.floor(high)
    if last - first < 1:
        return [value for value in ticks(10.0**low, 10.0**high, 3) if value > 0]
    stride = max(1, math.ceil((last - first + 1) / 5))
    return [10.0**power for power in range(first, last + 1, stride)]
