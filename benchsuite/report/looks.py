"""What each cell, backend and model looks like on every page and in every picture: colour, shape and dash.

Eight colours, which a test tells apart as readers with protanopia, deuteranopia and tritanopia see them. A
shape (of points) and a dash (of lines) go with each, so that no colour is the only difference.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchsuite.schema import known_cells
from benchsuite.schema.names import NO_CELL

LIGHT = ("#211fa3", "#965741", "#449d83", "#423a45", "#6c1e19", "#c46aec", "#206a8d", "#968f00")
"""The colours on light ground, and in pictures; --c0 to --c7 of the style sheet."""
DARK = ("#5771f6", "#c63714", "#caf7bd", "#a2a2a2", "#e68865", "#955c82", "#58c2ea", "#fbee04")
"""The same on dark ground."""
SHAPES = {
    "circle": "M-3.6,0A3.6,3.6,0,1,1,3.6,0A3.6,3.6,0,1,1,-3.6,0Z",
    "square": "M-3.2,-3.2H3.2V3.2H-3.2Z",
    "triangle-up": "M0,-4L4,3.2H-4Z",
    "diamond": "M0,-4.4L3.6,0L0,4.4L-3.6,0Z",
    "cross": "M-4,-1.4H-1.4V-4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4Z",
    "triangle-down": "M0,4L4,-3.2H-4Z",
    "triangle-right": "M4,0L-3.2,4V-4Z",
    "triangle-left": "M-4,0L3.2,4V-4Z",
}
"""Vega's name of a shape -> its outline as an SVG path of about 8 units around the origin."""
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (12, 4), (4, 2, 1, 2, 1, 2), (1, 3), (14, 3, 4, 3))
"""Lengths of strokes and gaps, in pixels."""
CELLS = ("lstm", "rnn", "gru", NO_CELL)
BACKENDS = ("torch", "jax", "numpy", "tensorflow")
ARCHITECTURE_ORDER = (
    "plain",
    "deep",
    "bidirectional",
    "deep_bidirectional",
    "encoder_decoder",
    "attention",
    "cnn",
)
"""In the order of their dashes. What is not in these lists comes after them."""
FILLS = {1.0: "full", 0.45: "half full", 0.2: "nearly empty", 0.0: "empty"}
"""How much of a point's inside is filled -> what that is called."""


@dataclass(frozen=True)
class Look:
    """Places of a colour in LIGHT and DARK, of a shape in SHAPES and of a dash in DASHES."""

    colour: int
    shape: int
    dash: int

    @property
    def light(self) -> str:
        return LIGHT[self.colour]

    @property
    def shape_name(self) -> str:
        return tuple(SHAPES)[self.shape]

    @property
    def strokes(self) -> tuple[int, ...]:
        return DASHES[self.dash]


def place_look(place: int) -> Look:
    """The look of the thing at a place in a list: 64 of them differ, the first eight in all three."""
    turn = place // len(LIGHT)
    return Look(place % len(LIGHT), (place + turn) % len(SHAPES), (place + turn) % len(DASHES))


def cell_look(name: str) -> Look:
    """Of a cell: the same in every report that is made with the same plugins installed."""
    if name in CELLS:
        return place_look(CELLS.index(name))
    others = sorted(set(known_cells()) - set(CELLS))
    return place_look(len(CELLS) + (others.index(name) if name in others else _by_name(name)))


def backend_look(name: str) -> Look:
    """Of a backend. The four that ship have colours that no cell of the core has."""
    place = BACKENDS.index(name) if name in BACKENDS else len(BACKENDS) + _by_name(name)
    look = place_look(len(CELLS) + place)
    return Look(look.colour, look.shape, place % len(DASHES))


def _by_name(name: str) -> int:
    """A number below 56 that depends on the name alone."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % 56


def architecture_dash(name: str) -> int:
    """The place of an architecture's dash: a plain model's lines are solid."""
    known = ("plain", "deep", "bidirectional", "deep_bidirectional")
    return known.index(name) if name in known else {"encoder_decoder": 1}.get(name, 0)


def fill_of(architecture: str) -> float:
    """How much of a point's inside an architecture fills, of FILLS."""
    known = {"plain": 1.0, "attention": 1.0, "cnn": 1.0, "deep": 0.45, "deep_bidirectional": 0.2}
    return known.get(architecture, 0.0)


def model_looks(models: Sequence[tuple[str, str, str]]) -> dict[str, Look]:
    """Of models (name, cell, architecture) in one chart: the colour and shape of the cell, the dash of the
    architecture; the next free dash where two models would look alike."""
    made: dict[str, Look] = {}
    for name, cell, architecture in models:
        own, dash = cell_look(cell), architecture_dash(architecture)
        taken = {look.dash for look in made.values() if look.colour == own.colour}
        free = next(
            (at % len(DASHES) for at in range(dash, dash + len(DASHES)) if at % len(DASHES) not in taken),
            dash,
        )
        made[name] = Look(own.colour, own.shape, free)
    return made


def looks_of(names: Iterable[str], look: Callable[[str], Look]) -> dict[str, Look]:
    """Name -> look, each name once; two names that depend on nothing else are told apart by the next free
    look."""
    made: dict[str, Look] = {}
    for name in dict.fromkeys(names):
        own = look(name)
        at = own.colour
        while own in made.values() and at < own.colour + 64:
            at += 1
            own = place_look(at)
        made[name] = own
    return made


def in_order(found: Iterable[str], known: Sequence[str]) -> list[str]:
    """The names that occur, the known ones first and in their order."""
    names = set(found)
    return [name for name in known if name in names] + sorted(names - set(known))
