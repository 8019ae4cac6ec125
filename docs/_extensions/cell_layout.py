"""Where the nodes of a graph are drawn: in rows, top to bottom, with few crossings (Sugiyama et al. 1981)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from _extensions.cell_graph import Node, readers

ROW = 50.0
GAP = 12.0
THIN = 8.0
SWEEPS = 24


@dataclass(eq=False)
class Place:
    """A node, or a bend of an edge that passes through a row (node is None). x and y are its centre."""

    node: Node | None
    row: int
    width: float
    x: float = 0.0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)

    @property
    def y(self) -> float:
        return ROW * (self.row + 0.5)


@dataclass(frozen=True)
class Line:
    """An edge from its first place through bends to its last, with the note of the operand."""

    places: tuple[Place, ...]
    note: str


@dataclass(frozen=True)
class Layout:
    places: list[Place]
    lines: list[Line]
    width: float
    height: float


def width_of(label: str) -> float:
    """Of a node's outline, in units of the drawing, of which a letter of a monospaced font has less than 8."""
    return max(28.0, 8.0 * len(label) + 10.0)


def laid_out(nodes: list[Node]) -> Layout:
    """Places for `nodes`, each of which comes after all that it reads. Equal graphs have equal layouts."""
    rows = _rows(nodes)
    places = {id(node): Place(node, rows[id(node)], width_of(node.label)) for node in nodes}
    layers: list[list[Place]] = [[] for _ in range(max(rows.values()) + 1)]
    for place in places.values():
        layers[place.row].append(place)
    lines = []
    for node in nodes:
        for read, note in node.reads:
            chain = [places[id(read)]]
            for row in range(rows[id(read)] + 1, rows[id(node)]):
                chain.append(Place(None, row, THIN))
                layers[row].append(chain[-1])
            chain.append(places[id(node)])
            for upper, lower in pairwise(chain):
                upper.below.append(lower)
                lower.above.append(upper)
            lines.append(Line(tuple(chain), note))
    _order(layers)
    _spread(layers)
    every = [place for layer in layers for place in layer]
    left = min(place.x - place.width / 2 for place in every) - 2
    for place in every:
        place.x -= left
    width = max(place.x + place.width / 2 for place in every) + 2
    return Layout([place for place in every if place.node], lines, width, ROW * len(layers))


def _rows(nodes: list[Node]) -> dict[int, int]:
    """The row of each node: one below its operands; what is read comes right above where it is read first."""
    rows: dict[int, int] = {}
    for node in nodes:
        rows[id(node)] = 1 + max((rows[id(read)] for read, _ in node.reads), default=-1)
    last = max(rows.values())
    read_by = readers(nodes)
    for node in reversed(nodes):
        if node.kind == "sink":
            rows[id(node)] = last
        elif node.kind == "source":
            rows[id(node)] = min(rows[id(reader)] for reader in read_by[id(node)]) - 1
    return rows


def _order(layers: list[list[Place]]) -> None:
    """Sort each row by the mean position of its neighbours, downwards and upwards in turn; keep the best."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _by_neighbours(layer, layers, down)
        if (found := _crossings(layers)) < fewest:
            best, fewest = [list(layer) for layer in layers], found
    layers[:] = best


def _by_neighbours(layer: list[Place], layers: list[list[Place]], down: bool) -> None:
    ranks = {id(place): k for each in layers for k, place in enumerate(each)}

    def position(place: Place) -> float:
        near = (place.above if down else place.below) or [place]
        return sum(ranks[id(each)] for each in near) / len(near)

    layer.sort(key=position)


def _crossings(layers: list[list[Place]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        rank = {id(place): k for k, place in enumerate(lower)}
        ends = [sorted(rank[id(each)] for each in place.below) for place in upper]
        flat = [end for each in ends for end in each]
        total += sum(before > after for k, before in enumerate(flat) for after in flat[k + 1 :])
    return total


def _spread(layers: list[list[Place]]) -> None:
    """x of every place: below or above its neighbours where its row has room."""
    for layer in layers:
        at = 0.0
        for place in layer:
            place.x = at + place.width / 2
            at += place.width + GAP
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted = []
            for place in layer:
                near = (place.above if down else place.below) or [place]
                wanted.append(sum(each.x for each in near) / len(near))
            _pushed_apart(layer, wanted)


def _pushed_apart(layer: list[Place], wanted: list[float]) -> None:
    """The places of a row in their order, as near to `wanted` as their widths allow (least squares)."""
    groups: list[list[float]] = []  # [sum of wanted less offsets, members]
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + GAP)
    for want, offset in zip(wanted, offsets, strict=True):
        groups.append([want - offset, 1.0])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, members = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += members
    starts = [total / members for total, members in groups for _ in range(int(members))]
    for place, start, offset in zip(layer, starts, offsets, strict=True):
        place.x = start + offset
