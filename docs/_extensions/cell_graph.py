"""What a cell's code computes, as a graph: its parts are run on values that note who reads whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchsuite.schema.cells import OPERATIONS, Cell, Operations

GAP = "·"
"""Where a node's label has its only operand."""
LONGEST_CONSTANT = 14
SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉"


@dataclass(eq=False)
class Node:
    """One operation, one thing that is read (kind `source`), or one result (`sink`).

    kind    source, product, step or sink
    reads   (node, note) of each operand; a note is a gate's name behind a split, or a sign
    """

    label: str
    kind: str = "step"
    reads: list[tuple[Node, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Value:
    """An array of a cell's code: what `node` gives (its part `note`), or the constant `text` of parameters."""

    node: Node | None = None
    note: str = ""
    text: str = ""
    names: tuple[str, ...] = ()

    def __neg__(self) -> Value:
        return applied(f"−{GAP}", self)


def constant(text: str, *names: str) -> Value:
    """A value that depends on no input. A formula that is too long for a label is `f` of its parameters."""
    kept = tuple(dict.fromkeys(names))
    return Value(text=text if len(text) <= LONGEST_CONSTANT else f"f({', '.join(kept)})", names=kept)


def applied(label: str, given: Value) -> Value:
    """A function of one array; of a constant it is a constant."""
    if given.node is None:
        return constant(label.replace(GAP, given.text), *given.names)
    return Value(Node(label, "step", [(given.node, given.note)]))


def operand(given: Any) -> Value:
    """A number of a formula as a constant."""
    return given if isinstance(given, Value) else constant(f"{given:g}".replace("-", "−"))


def _binary(symbol: str, left: Any, right: Any) -> Value:
    a, b = operand(left), operand(right)
    if a.node and b.node:
        # a difference and a quotient are a sum and a product with a note at their second operand
        note, label = {"−": ("−", "+"), "/": ("1/", "⊙")}.get(symbol, (b.note, symbol))
        return Value(Node(label, "step", [(a.node, a.note), (b.node, note)]))
    if symbol == "⊙" and "1" in (a.text, b.text):
        return b if a.text == "1" else a
    if a.node is None and b.node is None:
        return constant(f"{a.text} {symbol} {b.text}", *a.names, *b.names)
    fixed, read = (b, a) if a.node else (a, b)
    if (
        symbol == "⊙"
    ):  # the constant comes first, as in formulas, and a number needs no sign of multiplication
        text = f"({fixed.text})" if " " in fixed.text else fixed.text
        return applied(f"{text} ⊙ {GAP}" if fixed.names else f"{text} {GAP}", read)
    return applied(f"{GAP} {symbol} {b.text}" if a.node else f"{a.text} {symbol} {GAP}", read)


def _product(left: Value, right: Value) -> Value:
    found = applied(f"{GAP} {right.text}", left)
    if found.node:
        found.node.kind = "product"
    return found


_SYMBOLS = {"add": "+", "sub": "−", "mul": "⊙", "truediv": "/", "pow": "^"}
_SYMBOLS |= {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}
for _name, _symbol in _SYMBOLS.items():
    setattr(Value, f"__{_name}__", lambda self, other, symbol=_symbol: _binary(symbol, self, other))
    setattr(Value, f"__r{_name}__", lambda self, other, symbol=_symbol: _binary(symbol, other, self))
Value.__matmul__ = _product  # type: ignore[attr-defined]


def _function(label: str) -> Callable[[Value], Value]:
    return lambda x: applied(label, x)


def _extremum(name: str) -> Callable[[Value, Any], Value]:
    def run(x: Value, y: Any) -> Value:
        other = operand(y)
        return (
            _of_arrays(name, x, other)
            if x.node and other.node
            else applied(f"{name}({GAP}, {other.text})", x)
        )

    return run


def _of_arrays(label: str, *given: Any) -> Value:
    """An operation of several arrays; its constants are left out."""
    reads = [(each.node, each.note) for each in given if isinstance(each, Value) and each.node]
    return Value(Node(label, "step", reads))


class Tracer:
    """Runs a cell's parts. `gates` names the parts that a split gives, from the first on."""

    def __init__(self, gates: tuple[str, ...]) -> None:
        self.gates = gates
        self._splits: dict[tuple[int, str, int], list[Value]] = {}
        labels = {name: f"{name}({GAP})" for name in OPERATIONS}
        labels |= {
            "sigmoid": f"σ({GAP})",
            "sqrt": f"√({GAP})",
            "abs": f"|{GAP}|",
            "log_sigmoid": f"log σ({GAP})",
        }
        functions: dict[str, Callable[..., Any]] = {name: _function(label) for name, label in labels.items()}
        functions |= {"maximum": _extremum("max"), "minimum": _extremum("min")}
        functions |= {
            "where": lambda *given: _of_arrays("where", *given),
            "concat": lambda parts: _of_arrays("join", *parts),
        }
        functions |= {"split": self._split, "ones_like": lambda _x: constant("1")}
        functions |= {"zeros_like": lambda _x: constant("0")}
        self.xp = Operations("graphs", functions)

    def _split(self, x: Value, n: int) -> list[Value]:
        if x.node is None:
            return [constant(f"{x.text}{SUBSCRIPTS[k]}", *x.names) for k in range(n)]
        if x.node.label == "join" and len(x.node.reads) == n:  # the parts that were joined are taken apart
            return [Value(node, note) for node, note in x.node.reads]
        key = (id(x.node), x.note, n)
        if key not in self._splits:
            node = Node("split", "step", [(x.node, x.note)])
            self._splits[key] = [
                Value(node, self.gates[k] if k < len(self.gates) else str(k + 1)) for k in range(n)
            ]
        return self._splits[key]

    def sinks(self, cell: Cell) -> list[Node]:
        """The parts of the state after a step, and the output where it is not the first of them."""
        weights = {name: constant(name, name) for name in cell.parameters(2, 3)}
        x, begins = Value(Node("x", "source")), Value(Node("begins", "source"))
        before = tuple(Value(Node(part.name, "source")) for part in cell.state)
        u = cell.inputs(self.xp, weights, x, begins)
        after = cell.step(self.xp, weights, u, before[0], before)
        found = {f"{part.name}′": value for part, value in zip(cell.state, after, strict=True)}
        if type(cell).output is not Cell.output:
            found["y"] = cell.output(self.xp, weights, u, after)
        return [Node(name, "sink", [(value.node, value.note)]) for name, value in found.items() if value.node]


def nodes_of(sinks: list[Node]) -> list[Node]:
    """Every node that a sink depends on, and the sinks: each after all that it reads."""
    found: dict[int, Node] = {}

    def visit(node: Node) -> None:
        if id(node) not in found:
            for read, _ in node.reads:
                visit(read)
            found[id(node)] = node

    for sink in sinks:
        visit(sink)
    return list(found.values())


def readers(nodes: list[Node]) -> dict[int, list[Node]]:
    """Who reads each node, by its id."""
    found: dict[int, list[Node]] = {id(node): [] for node in nodes}
    for node in nodes:
        for read, _ in node.reads:
            found[id(read)].append(node)
    return found
