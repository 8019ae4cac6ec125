"""A cell's graph as a drawing: inline SVG whose colours are those of the page, light or dark."""

from __future__ import annotations

from html import escape

from _extensions.cell_graph import Tracer
from _extensions.cell_graph_short import SIGNS, shortened_graph
from _extensions.cell_layout import Line, Place, laid_out
from benchsuite.schema.cells import Cell

HALF = 13.0
"""Half the height of a node's outline."""
SMALLEST = 0.75
"""How far a drawing shrinks before it is scrolled: its letters stay legible."""


def drawing(name: str, cell: Cell, gates: tuple[str, ...] = ()) -> str:
    """The data flow of one step as one SVG element without an empty line; equal cells have equal drawings."""
    layout = laid_out(shortened_graph(Tracer(gates).sinks(cell)))
    parts = [
        f'<svg class="cell-flow" role="img" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" '
        f'width="{layout.width:.0f}" style="min-width: {SMALLEST * layout.width:.0f}px" xmlns="http://www.w3.org/2000/svg">',
        f"<title>Data flow of one step of {escape(name)}</title>",
        '<defs><marker id="flow-end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
        *(_line(line) for line in layout.lines),
        *(_node(place) for place in layout.places),
        *(_note(line) for line in layout.lines if line.note),
        "</svg>",
    ]
    return "\n".join(parts)


def _line(line: Line) -> str:
    first, *rest = line.places
    x, y = first.x, first.y + HALF
    path = [f"M{x:.1f} {y:.1f}"]
    for place in rest:
        end = place.y - (HALF if place.node else 0.0)
        middle = (y + end) / 2
        path.append(f"C{x:.1f} {middle:.1f} {place.x:.1f} {middle:.1f} {place.x:.1f} {end:.1f}")
        x, y = place.x, end
    return f'<path class="edge" d="{" ".join(path)}" marker-end="url(#flow-end)"/>'


def _node(place: Place) -> str:
    assert place.node is not None
    kind, width = place.node.kind, place.width
    round_ = HALF if kind in ("source", "sink") else 4.0
    return (
        f'<rect class="{kind}" x="{place.x - width / 2:.1f}" y="{place.y - HALF:.1f}" width="{width:.1f}" '
        f'height="{2 * HALF:.0f}" rx="{round_:.0f}"/>'
        f'<text x="{place.x:.1f}" y="{place.y + 4.5:.1f}">{escape(place.node.label)}</text>'
    )


def _note(line: Line) -> str:
    """A gate's name on the first part of its edge, a sign on the last one, at the side that it comes from."""
    sign = line.note in SIGNS
    first, second = line.places[-2:] if sign else line.places[:2]
    along = 0.85 if sign else 0.7
    begin, end = first.y + (HALF if first.node else 0.0), second.y - (HALF if second.node else 0.0)
    side = 9.0 if second.x > first.x else -9.0
    # the point of the edge's curve, whose ends are vertical, and one letter away from it
    x = first.x + (second.x - first.x) * along * along * (3 - 2 * along) + side
    y = begin + (end - begin) * along + 2
    return f'<text class="note" x="{x:.1f}" y="{y:.1f}">{escape(line.note)}</text>'
