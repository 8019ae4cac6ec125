"""Legends as HTML: names with the look of their lines and points, which the script makes switches of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup

from benchsuite.contracts.report import LegendEntry
from benchsuite.report.looks import DASHES, SHAPES


def chart_legend(entries: Iterable[LegendEntry]) -> Markup:
    """The legend of a chart; nothing where it has no entries."""
    return _legend(
        _key(
            entry.label or entry.name, swatch(entry.colour, entry.shape, entry.dash), entry.field, entry.name
        )
        for entry in entries
    )


def lines_legend(names: Iterable[tuple[str, int]]) -> Markup:
    """The legend of a drawing of curves: (name, place of the line); nothing where there are fewer than two."""
    return _lines_legend(tuple(names))


@lru_cache(512)
def _lines_legend(known: tuple[tuple[str, int], ...]) -> Markup:
    """The pages of thousands of trials have the same few."""
    if len(known) < 2:
        return Markup()
    return _legend(_key(name, swatch(place, "", DASHES[place]), "line", str(place)) for name, place in known)


def _legend(keys: Iterable[Markup]) -> Markup:
    items = Markup().join(keys)
    return Markup('<ul class="legend">{}</ul>').format(items) if items else Markup()


def _key(label: str, drawn: Markup, field: str, name: str) -> Markup:
    return Markup('<li class="key" data-field="{}" data-name="{}">{}{}</li>').format(
        field, name, drawn, label
    )


def swatch(colour: int, shape: str = "", dash: tuple[int, ...] = ()) -> Markup:
    """A line with its dash, a point with its shape, or both; a field of the colour where there is neither."""
    parts = Markup()
    if dash:
        strokes = " ".join(map(str, dash))
        parts += Markup('<path class="stroke" d="M1 6H27" stroke-dasharray="{}"/>').format(strokes)
    if shape in SHAPES or not dash:
        outline = SHAPES.get(shape, "M-4,-4H4V4H-4Z")
        parts += Markup('<path class="fill" transform="translate({} 6)" d="{}"/>').format(
            14 if dash else 6, outline
        )
    wide = 28 if dash else 12
    return Markup(
        '<svg class="swatch c{}" width="{}" height="12" viewBox="0 0 {} 12" aria-hidden="true">{}</svg>'
    ).format(colour % 8, wide, wide, parts)
