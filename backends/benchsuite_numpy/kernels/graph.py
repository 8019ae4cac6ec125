"""Graph: what a part of a cell computes, recorded once by running the cell's code on values without numbers.

A cell's code has no branch and no index, so that what it computes is the same at every step. Values have N rows
or, where they depend on the weights alone, none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from benchsuite.errors import ContractError

ROWS = 15485863
"""The number of rows of a recorded value: large and prime, so that no width is equal to it."""


@dataclass(frozen=True)
class Value:
    """A value of a graph. shape: (ROWS, F) of one with rows, else that of the weights it is computed from."""

    index: int
    shape: tuple[int, ...]
    rows: bool
    boolean: bool = False

    @property
    def columns(self) -> int:
        return self.shape[-1]


Operand = Value | float


@dataclass(frozen=True)
class Node:
    """outs = op(ins). One output, but for `split`."""

    op: str
    ins: tuple[Operand, ...]
    outs: tuple[Value, ...]

    @property
    def out(self) -> Value:
        return self.outs[0]

    @property
    def values(self) -> list[Value]:
        """The inputs that are no numbers."""
        return [each for each in self.ins if isinstance(each, Value)]


@dataclass
class Graph:
    """The nodes in the order in which they were recorded."""

    nodes: list[Node] = field(default_factory=list)
    count: int = 0

    def rows(self, columns: int) -> Traced:
        """An input with rows, (N, columns)."""
        return Traced(self, self._value((ROWS, columns), True))

    def weight(self, shape: tuple[int, ...]) -> Traced:
        """An input without rows."""
        return Traced(self, self._value(shape, False))

    def apply(
        self, op: str, *ins: Any, shape: tuple[int, ...] | None = None, boolean: bool = False, parts: int = 1
    ) -> Any:
        """Record a node. `shape`: of each of its `parts` outputs; None: what the inputs are broadcast to."""
        operands = tuple(_operand(each) for each in ins)
        values = [each for each in operands if isinstance(each, Value)]
        if shape is None:
            shape = _broadcast(op, operands)
        rows = any(each.rows for each in values)
        if rows and shape[:1] != (ROWS,):
            raise ContractError(f"{op} of arrays of the shapes {_shapes(operands)} mixes rows")
        outs = tuple(self._value(shape, rows, boolean) for _ in range(parts))
        self.nodes.append(Node(op, operands, outs))
        found = [Traced(self, out) for out in outs]
        return found if op == "split" else found[0]

    def _value(self, shape: tuple[int, ...], rows: bool, boolean: bool = False) -> Value:
        self.count += 1
        return Value(self.count - 1, shape, rows, boolean)

    def pruned(self, outputs: Sequence[Value]) -> list[Node]:
        """The nodes that `outputs` need."""
        needed, kept = {each.index for each in outputs}, []
        for node in reversed(self.nodes):
            if any(out.index in needed for out in node.outs):
                needed |= {each.index for each in node.values}
                kept.append(node)
        return kept[::-1]


class Traced:
    """What a cell's code is given for an array."""

    __array_ufunc__ = None
    __slots__ = ("graph", "value")

    def __init__(self, graph: Graph, value: Value) -> None:
        self.graph, self.value = graph, value

    def __add__(self, other: Any) -> Traced:
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> Traced:
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> Traced:
        return self._apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Traced:
        return self._apply("subtract", other, self)

    def __mul__(self, other: Any) -> Traced:
        return self._apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Traced:
        return self._apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Traced:
        return self._apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Traced:
        return self._apply("divide", other, self)

    def __pow__(self, other: Any) -> Traced:
        return self._apply("power", self, other)

    def __rpow__(self, other: Any) -> Traced:
        return self._apply("power", other, self)

    def __neg__(self) -> Traced:
        return self._apply("negative", self)

    def __lt__(self, other: Any) -> Traced:
        return self._apply("less", self, other, boolean=True)

    def __le__(self, other: Any) -> Traced:
        return self._apply("less_equal", self, other, boolean=True)

    def __gt__(self, other: Any) -> Traced:
        return self._apply("greater", self, other, boolean=True)

    def __ge__(self, other: Any) -> Traced:
        return self._apply("greater_equal", self, other, boolean=True)

    def __matmul__(self, other: Any) -> Traced:
        left, right = self.value, _operand(other)
        if not isinstance(right, Value) or right.rows or len(left.shape) != 2 or len(right.shape) != 2:
            raise ContractError("the right side of @ must be a matrix of weights, the left side a matrix")
        if left.shape[1] != right.shape[0]:
            raise ContractError(f"@ of arrays of the shapes {_shapes((left, right))}")
        return self._apply("matmul", self, other, shape=(left.shape[0], right.shape[1]))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ContractError(f"an array has no .{name}: a cell uses operators and the operations of xp alone")

    def __bool__(self) -> bool:
        raise ContractError("a cell's code cannot branch on an array's numbers; use xp.where")

    def _apply(self, op: str, *ins: Any, **options: Any) -> Traced:
        found: Traced = self.graph.apply(op, *ins, **options)
        return found


def _operand(given: Any) -> Operand:
    if isinstance(given, Traced):
        return given.value
    if isinstance(given, int | float | np.generic) and not isinstance(given, bool):
        return float(given)
    raise ContractError(f"an operation was given {type(given).__name__}, must be an array or a number")


def _broadcast(op: str, operands: Sequence[Operand]) -> tuple[int, ...]:
    shapes = [each.shape for each in operands if isinstance(each, Value)]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ContractError(f"{op} of arrays of the shapes {_shapes(operands)}") from None


def _shapes(operands: Sequence[Operand]) -> str:
    found = [each.shape for each in operands if isinstance(each, Value)]
    return ", ".join(str(shape).replace(str(ROWS), "N") for shape in found)
