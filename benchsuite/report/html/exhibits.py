"""Exhibits as HTML: texts with their alignments, forecasts, confusion matrices, pictures, curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from markupsafe import Markup, escape

from benchsuite.contracts.report import Line, LineChart
from benchsuite.report.formatting import format_number
from benchsuite.report.html.drawing import draw
from benchsuite.report.html.legend import lines_legend
from benchsuite.report.html.raster import grey, heat
from benchsuite.schema import Exhibit

CHANNELS = 3
"""Channels of a forecast that are drawn."""
FEW_CLASSES = 12
"""Classes up to which a confusion matrix is written out in numbers."""
MOST_TOKENS = 400
"""Tokens of a text that are shown."""
PIXEL = 13


def exhibit_html(exhibit: Exhibit) -> Markup:
    """The exhibit under its name."""
    makers: dict[str, Callable[[Exhibit], Markup]] = {
        "text": _text,
        "forecast": _forecast,
        "confusion": _confusion,
        "picture": _picture,
        "curve": _curve,
    }
    body = makers[exhibit.kind](exhibit)
    return Markup('<figure class="exhibit exhibit-{}"><figcaption>{}</figcaption>{}</figure>').format(
        exhibit.kind, exhibit.name, body
    )


def _tokens(tokens: Sequence[str], between: str) -> str:
    shown = between.join(tokens[:MOST_TOKENS])
    return f"{shown} …" if len(tokens) > MOST_TOKENS else shown


def _between(lines: Iterable[Sequence[str]]) -> str:
    """What is put between tokens: nothing where any of them holds a blank, as characters of a text do; a blank
    between words that have none."""
    return "" if any(token != token.strip() for tokens in lines for token in tokens) else " "


def _text(exhibit: Exhibit) -> Markup:
    names: list[str] = [name for name in ("source", "target", "prediction") if name in exhibit.lines]
    names += [name for name in exhibit.lines if name not in names]
    between = _between(exhibit.lines.values())
    rows = Markup().join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, _tokens(exhibit.lines[name], between))
        for name in names
    )
    text = Markup('<dl class="lines">{}</dl>').format(rows)
    alignment = table_of(exhibit, "alignment")
    if alignment is None:
        return text
    source = list(exhibit.lines.get("source", []))
    written = list(exhibit.lines.get("prediction", []))
    return text + _alignment(alignment, source, written)


def table_of(exhibit: Exhibit, name: str) -> np.ndarray | None:
    """A table of an exhibit as an array (rows, columns), or None where it is missing or not rectangular."""
    rows = exhibit.tables.get(name) or []
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        return None
    return np.array(rows, np.float64)


def _alignment(weights: np.ndarray, source: list[str], written: list[str]) -> Markup:
    """Attention as a picture: a row a written token, a column a token that was read."""
    high, wide = weights.shape
    left = 14 + 6.2 * min(16, max((len(token) for token in written), default=4))
    top = 14 + 5.2 * min(16, max((len(token) for token in source), default=4))
    width, height = left + PIXEL * wide + 30, top + PIXEL * high + 6
    labels = [
        Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>').format(
            left - 5, top + PIXEL * (row + 0.5) + 3.5, _cut(written[row] if row < len(written) else "END")
        )
        for row in range(high)
    ]
    labels += [
        Markup('<text class="tick" transform="translate({:.1f} {:.1f}) rotate(-50)">{}</text>').format(
            left + PIXEL * (column + 0.6), top - 4, _cut(source[column] if column < len(source) else "")
        )
        for column in range(wide)
    ]
    return Markup(
        '<div class="scroll" tabindex="0" role="group" aria-label="Alignment">'
        '<svg class="alignment" width="{:.0f}" height="{:.0f}" viewBox="0 0 {:.0f} {:.0f}" role="img" '
        'aria-label="Attention of each written token (rows) on the tokens that were read (columns)">'
        '<image href="{}" x="{:.1f}" y="{:.1f}" width="{}" height="{}" preserveAspectRatio="none" '
        'image-rendering="pixelated"/>{}</svg></div>'
    ).format(
        width, height, width, height, heat(weights, 0.0, 1.0), left, top, PIXEL * wide, PIXEL * high,
        Markup().join(labels),
    )  # fmt: skip


def _cut(token: str, most: int = 16) -> str:
    return token if len(token) <= most else f"{token[: most - 1]}…"


def _forecast(exhibit: Exhibit) -> Markup:
    known, truth, made = (table_of(exhibit, name) for name in ("input", "truth", "prediction"))
    if truth is None or made is None:
        return Markup('<p class="note">This forecast holds no table that can be drawn.</p>')
    steps = 0 if known is None else len(known)
    drawings = []
    for channel in range(min(CHANNELS, truth.shape[1], made.shape[1])):
        ahead = np.arange(len(truth)) + 1.0
        lines = [
            _line("truth", ahead, truth[:, channel]),
            _line("forecast", ahead, made[:, channel]),
        ]
        if known is not None and channel < known.shape[1]:
            lines.insert(0, _line("input", np.arange(steps) - steps + 1.0, known[:, channel]))
        title = f"channel {channel + 1}" if truth.shape[1] > 1 else "forecast"
        drawings.append(_drawn(LineChart(title, tuple(lines), "steps ahead", "value")))
    return Markup().join(drawings)


def _drawn(chart: LineChart) -> Markup:
    svg, legend = draw(chart)
    return Markup('<div class="drawing">{}{}</div>').format(lines_legend(legend), svg)


def _curve(exhibit: Exhibit) -> Markup:
    lines = tuple(
        _line(name, points[:, 0], points[:, 1])
        for name in exhibit.tables
        if (points := table_of(exhibit, name)) is not None and points.shape[1] == 2
    )
    if not lines:
        return Markup('<p class="note">This curve holds no table that can be drawn.</p>')
    x, y = (next(iter(exhibit.lines.get(axis, [])), axis) for axis in ("x", "y"))
    notes = Markup().join(
        Markup('<p class="note">{}</p>').format(text) for text in exhibit.lines.get("note", [])
    )
    return _drawn(LineChart(exhibit.name, lines, x, y)) + notes


def _line(name: str, x: np.ndarray, y: np.ndarray) -> Line:
    return Line(name, x.tolist(), y.tolist())


def _confusion(exhibit: Exhibit) -> Markup:
    counts = table_of(exhibit, "counts")
    classes = list(exhibit.lines.get("classes", []))
    if counts is None:
        return Markup('<p class="note">This confusion matrix is empty.</p>')
    names = [classes[at] if at < len(classes) else str(at) for at in range(max(counts.shape))]
    if max(counts.shape) > FEW_CLASSES:
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return Markup(
            '<img class="pixels" src="{}" width="{}" height="{}" alt="Confusion matrix of {} classes: true '
            'class by row, predicted by column; darker is a larger share of the row">'
        ).format(heat(shares, 0, 1), 8 * counts.shape[1], 8 * counts.shape[0], len(counts))
    head = Markup().join(
        Markup('<th scope="col">{}</th>').format(_cut(name)) for name in names[: counts.shape[1]]
    )
    rows = Markup().join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            _cut(names[at]), Markup().join(_count(value, row, at == place) for place, value in enumerate(row))
        )
        for at, row in enumerate(counts)
    )
    return Markup(
        '<div class="scroll" tabindex="0" role="group" aria-label="Confusion matrix"><table class="confusion">'
        "<caption>Rows: true class. Columns: predicted class.</caption><thead><tr><td></td>{}</tr></thead>"
        "<tbody>{}</tbody></table></div>"
    ).format(head, rows)


def _count(value: float, row: np.ndarray, right: bool) -> Markup:
    total = float(np.nansum(row)) or 1.0
    level = min(9, max(0, round(9 * value / total))) if np.isfinite(value) else 0
    return Markup('<td class="heat{}{}">{}</td>').format(
        level, " right" if right else "", format_number(float(value)) if value else escape("·")
    )


def _picture(exhibit: Exhibit) -> Markup:
    parts = []
    for name in exhibit.tables:
        values = table_of(exhibit, name)
        if values is not None:
            zoom = max(1, round(128 / max(values.shape)))
            parts.append(
                Markup('<div class="picture"><img class="pixels" src="{}" width="{}" height="{}" alt="{}">'
                       "<p>{}</p></div>").format(
                    grey(values), zoom * values.shape[1], zoom * values.shape[0], name, name
                )
            )  # fmt: skip
    return Markup('<div class="pictures">{}</div>').format(Markup().join(parts))
