"""Where the values of a graph and their gradients lie: in blocks whose views are cut for any number of rows.

Forwards, what the backward pass reads is kept; everything else shares a block of temporaries, whose places are
used again. Backwards, a gradient that is another value's gradient unchanged, or a part of it, has no place of
its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchsuite_numpy.kernels.derivatives import OPS, PASS
from benchsuite_numpy.kernels.graph import Node, Value


@dataclass(frozen=True)
class Place:
    """Columns [start, start + columns) of `block`: `kept`, `temporary`, `truth`, or `gradient`."""

    block: str
    start: int
    columns: int


@dataclass(frozen=True)
class View:
    """Columns from `start` of the gradient of value number `of`."""

    of: int
    start: int


def needs_gradient(nodes: Sequence[Node], wanted: Collection[int]) -> set[int]:
    """The values, by number, that depend on one of `wanted` by operations that have a derivative."""
    found = set(wanted)
    for node in nodes:
        for position, each in enumerate(node.ins):
            if isinstance(each, Value) and each.index in found and has_derivative(node, position):
                found |= {out.index for out in node.outs}
    return found


def has_derivative(node: Node, position: int) -> bool:
    """Whether the node's output has a derivative by the input at `position`."""
    if node.op in ("split", "concat", "matmul"):
        return True
    return OPS[node.op].backward[position] is not None


class ForwardPlan:
    """Places of the values that `nodes`, all with rows, compute, but for `outputs`, which the caller gives."""

    def __init__(self, nodes: Sequence[Node], outputs: Sequence[Value], needing: set[int]) -> None:
        self.bases = {
            part.index: node.values[0] for node in nodes if node.op == "split" for part in node.outs
        }
        self.places: dict[int, Place] = {}
        self.work: dict[int, Place] = {}
        """By number of the node."""
        self.sizes = {"kept": 0, "temporary": 0, "truth": 0}
        given = {each.index for each in outputs}
        kept = {self.base(each).index for each in _read_backwards(nodes, needing)}
        last = {self.base(each).index: number for number, node in enumerate(nodes) for each in node.values}
        free: dict[int, list[Place]] = {}
        for number, node in enumerate(nodes):
            op = OPS[node.op]
            ending = {
                place.start: place
                for each in node.values
                if last[self.base(each).index] == number
                and (place := self.places.get(self.base(each).index)) is not None
                and place.block == "temporary"
            }
            if op.in_place:
                _release(free, ending.values())
            if op.work:
                self.work[number] = self._temporary(free, node.out.columns)
            if node.op != "split" and node.out.index not in given:
                self.places[node.out.index] = self._placed(node.out, node.out.index in kept, free)
            if not op.in_place:
                _release(free, ending.values())
            if op.work:
                _release(free, [self.work[number]])

    def base(self, value: Value) -> Value:
        """The value whose memory `value` is a part of."""
        while value.index in self.bases:
            value = self.bases[value.index]
        return value

    def _placed(self, value: Value, kept: bool, free: dict[int, list[Place]]) -> Place:
        if value.boolean:
            return self._new("truth", value.columns)
        return self._new("kept", value.columns) if kept else self._temporary(free, value.columns)

    def _temporary(self, free: dict[int, list[Place]], columns: int) -> Place:
        return free[columns].pop() if free.get(columns) else self._new("temporary", columns)

    def _new(self, block: str, columns: int) -> Place:
        self.sizes[block] += columns
        return Place(block, self.sizes[block] - columns, columns)


def _release(free: dict[int, list[Place]], places: Collection[Place]) -> None:
    for place in places:
        free.setdefault(place.columns, []).append(place)


def _read_backwards(nodes: Sequence[Node], needing: set[int]) -> list[Value]:
    """The values with rows that the backward pass reads."""
    found: list[Value] = []
    for node in nodes:
        reads = OPS[node.op].reads
        for position, each in enumerate(node.ins):
            if not reads or not isinstance(each, Value) or each.index not in needing:
                continue
            for letter in reads[position]:
                read = node.out if letter == "o" else node.ins[int(letter)]
                if isinstance(read, Value) and read.rows:
                    found.append(read)
    return found


class BackwardPlan:
    """Places of the gradients of the values with rows in `needing`.

    outputs  values whose gradients are given, and may be written to
    wanted   inputs whose gradients go to memory that the caller gives
    preset   those of `wanted` where something lies already, to which is added
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        outputs: Sequence[Value],
        wanted: Collection[int],
        preset: Collection[int],
        needing: set[int],
        count: int,
    ) -> None:
        self._parents: dict[int, int] = {}
        self.given = {each.index for each in outputs} | set(wanted)
        self.views: dict[int, View] = {}
        self.holders: dict[int, int] = {}
        """By number of the node of a split: the value whose gradient is made of the parts' gradients."""
        self.places: dict[int, Place] = {}
        self.columns = 0
        uses: dict[int, int] = dict.fromkeys([*(each.index for each in outputs), *preset], 1)
        for node in nodes:
            for value in node.values:
                uses[value.index] = uses.get(value.index, 0) + 1
        for number, node in enumerate(nodes):
            if node.op == "split" and node.out.index in needing:
                self._place_parts(number, node, uses, count)
        for node in reversed(nodes):
            if node.out.index not in needing:
                continue
            if node.op == "concat":
                self._place_joined(node, uses, needing)
            op = OPS[node.op]
            for position, each in enumerate(node.ins):
                if (
                    isinstance(each, Value)
                    and each.index in needing
                    and op.backward
                    and op.backward[position] is PASS
                    and each.shape == node.out.shape
                    and uses[each.index] == 1
                ):
                    self._join(each.index, node.out.index)
        own = {
            holder: nodes[number].values[0].columns
            for number, holder in self.holders.items()
            if holder >= count
        }
        for node in nodes:
            own |= {out.index: out.columns for out in node.outs if out.index in needing}
        for index, columns in own.items():
            root = self.root(index)
            if root not in self.places and not self._placed(root):
                self.places[root] = Place("gradient", self.columns, columns)
                self.columns += columns

    def root(self, index: int) -> int:
        while index in self._parents:
            index = self._parents[index]
        return index

    def same(self, a: int, b: int) -> bool:
        """Whether the two values' gradients are one array."""
        return self.root(a) == self.root(b)

    def _placed(self, root: int) -> bool:
        return root in self.given or root in self.views

    def _join(self, a: int, b: int) -> None:
        a, b = self.root(a), self.root(b)
        if a == b or (self._placed(a) and self._placed(b)):
            return
        if self._placed(a):
            a, b = b, a
        self._parents[a] = b

    def _place_parts(self, number: int, node: Node, uses: dict[int, int], count: int) -> None:
        """The gradients of a split's outputs are parts of that of its input, or of a holder's."""
        base = node.values[0]
        holder = self.holders[number] = base.index if uses[base.index] == 1 else count + number
        for part, out in enumerate(node.outs):
            self.views[out.index] = View(holder, part * out.columns)

    def _place_joined(self, node: Node, uses: dict[int, int], needing: set[int]) -> None:
        """The gradients of what is joined are parts of that of the whole."""
        start = 0
        for each in node.values:
            root = self.root(each.index)
            if each.index in needing and uses[each.index] == 1 and not self._placed(root):
                self.views[root] = View(node.out.index, start)
            start += each.columns
