"""Replay: a graph as calls on memory that is there already, for any number of rows.

What depends on the weights alone is computed once in a pass, and its gradients once after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchsuite_numpy.kernels.derivatives import OPS, PASS, Calls
from benchsuite_numpy.kernels.graph import Graph, Node, Traced, Value
from benchsuite_numpy.kernels.memory_plan import BackwardPlan, ForwardPlan, has_derivative, needs_gradient
from benchsuite_numpy.kernels.rowsum import RowSum
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.runtime import Array, Namespace


@dataclass(frozen=True)
class Weight:
    """A weight as an input of a graph, its array, and where its gradient is added to."""

    value: Value
    array: Array
    gradient: Array


@dataclass(frozen=True)
class Memory:
    """Flat blocks for one run of a graph: those of a ForwardPlan, and one for gradients."""

    kept: Array
    temporary: Array
    truth: Array
    gradient: Array


Bound = dict[int, Any]
"""Where the values of a graph lie in one binding, by number."""


def run(calls: Calls) -> None:
    for function, arguments in calls:
        function(*arguments)


class Replay:
    """
    graph    recorded, with `outputs`: each (N, F)
    weights  the graph's inputs without rows
    wanted   inputs with rows whose gradients are asked for
    preset   those of `wanted` where a gradient lies already, to which is added
    """

    def __init__(
        self,
        workspace: Workspace,
        graph: Graph,
        outputs: Sequence[Traced],
        weights: Sequence[Weight],
        wanted: Sequence[Traced],
        preset: Sequence[Traced] = (),
    ) -> None:
        self._workspace, self._xp, self._weights = workspace, workspace.namespace, weights
        self.outputs = _own(graph, outputs)
        nodes = graph.pruned(self.outputs)
        self._once = [node for node in nodes if not node.out.rows]
        self._body = [node for node in nodes if node.out.rows]
        asked = [each.value.index for each in wanted]
        self._needing = needs_gradient(nodes, [*asked, *(weight.value.index for weight in weights)])
        self._forward = ForwardPlan(self._body, self.outputs, self._needing)
        self._preset = {each.value.index for each in preset}
        self._backward = BackwardPlan(
            self._body, self.outputs, asked, self._preset, self._needing, graph.count
        )
        self.reached = set(asked) & {
            each.index
            for node in self._body
            for position, each in enumerate(node.ins)
            if isinstance(each, Value) and has_derivative(node, position)
        }
        """Those of `wanted` that have a gradient: the outputs depend on them."""
        self.widths = {
            each.index: each.columns
            for node in self._body
            for each in (*node.values, *node.outs)
            if each.shape
        }
        """Columns of each value, by number."""
        room = 2 * max(self.widths.values(), default=0)
        self.columns = {**self._forward.sizes, "gradient": self._backward.columns + room}
        """Columns of the blocks of Memory."""
        self._arrays: dict[int, Array] = {}
        self._gradients: dict[int, Array] = {}
        self._set_up_weights()

    def _set_up_weights(self) -> None:
        """Memory of what has no rows, and the sums of the matrices' gradients."""
        xp = self._xp
        for weight in self._weights:
            self._arrays[weight.value.index] = weight.array
            self._gradients[weight.value.index] = weight.gradient
        self._once_calls: Calls = []
        self._own_gradients: list[Array] = []
        for node in self._once:
            for part, out in enumerate(node.outs):
                if node.op == "split":
                    base = self._arrays[node.values[0].index]
                    self._arrays[out.index] = base[..., part * out.columns : (part + 1) * out.columns]
                else:
                    kind = bool if out.boolean else self._workspace.dtype
                    self._arrays[out.index] = xp.empty(out.shape, kind)
                if out.index in self._needing:
                    self._gradients[out.index] = xp.zeros(out.shape, self._workspace.dtype)
                    self._own_gradients.append(self._gradients[out.index])
            out, ins = self._arrays[node.out.index], self._ins(node, self._arrays)
            self._once_calls += OPS[node.op].forward(xp, out, xp.empty_like(out), ins)
        self._sums: dict[int, RowSum] = {
            number: RowSum(xp, self._gradients[node.values[1].index])
            for number, node in enumerate(self._body)
            if node.op == "matmul" and node.values[1].index in self._needing
        }

    def is_preset(self, value: Traced) -> bool:
        return value.value.index in self._preset

    def prepare(self) -> None:
        """Once in a pass: what depends on the weights alone."""
        run(self._once_calls)

    def clear(self) -> None:
        """Before a backward pass; the weights' gradients are the caller's to clear."""
        for array in self._own_gradients:
            array[...] = 0
        for sum_ in self._sums.values():
            sum_.clear()

    def finish(self) -> None:
        """After a backward pass: the weights' gradients are complete."""
        for sum_ in self._sums.values():
            sum_.finish()
        for node in reversed(self._once):
            if node.out.index in self._needing:
                self._once_back(node)

    def bind_forward(self, rows: int, given: Mapping[int, Array], memory: Memory) -> tuple[Calls, Bound]:
        """The calls that fill the outputs, and where every value with rows lies.

        given  the inputs with rows and the outputs, by number: (rows, F)
        """
        arrays: Bound = {**self._arrays, **given}
        calls: Calls = []
        for number, node in enumerate(self._body):
            if node.op == "split":
                base = arrays[node.values[0].index]
                for part, out in enumerate(node.outs):
                    arrays[out.index] = base[:, part * out.columns : (part + 1) * out.columns]
                continue
            if node.out.index not in arrays:
                place = self._forward.places[node.out.index]
                arrays[node.out.index] = _cut(getattr(memory, place.block), rows, place.start, place.columns)
            work = None
            if number in self._forward.work:
                place = self._forward.work[number]
                work = _cut(memory.temporary, rows, place.start, place.columns)
            calls += OPS[node.op].forward(self._xp, arrays[node.out.index], work, self._ins(node, arrays))
        return calls, arrays

    def bind_backward(self, rows: int, arrays: Bound, given: Mapping[int, Array], memory: Memory) -> Calls:
        """The calls that turn the outputs' gradients into those of the inputs and weights.

        given  gradients of the outputs and of the wanted inputs, by number: (rows, F)
        """
        binding = _Backward(self, rows, arrays, given, memory)
        for number, node in reversed(list(enumerate(self._body))):
            if node.out.index in self._needing:
                binding.node(number, node)
        return binding.calls

    def _ins(self, node: Node, arrays: Mapping[int, Array]) -> list[Any]:
        return [arrays[each.index] if isinstance(each, Value) else each for each in node.ins]

    def _once_back(self, node: Node) -> None:
        """Adds to the gradients of a node's inputs; nothing has rows."""
        xp, g, start = self._xp, self._gradients[node.out.index], 0
        ins, out = self._ins(node, self._arrays), self._arrays[node.out.index]
        for position, each in enumerate(node.ins):
            if not isinstance(each, Value):
                continue
            columns = each.columns if each.shape else 1
            if each.index in self._needing and has_derivative(node, position):
                target = self._gradients[each.index]
                if node.op == "split":
                    found = xp.concatenate([self._gradients[part.index] for part in node.outs], axis=-1)
                elif node.op == "concat":
                    found = g[..., start : start + columns]
                elif node.op == "matmul":
                    found = g @ ins[1].T if position == 0 else ins[0].T @ g
                elif OPS[node.op].backward[position] is PASS:
                    found = g
                else:
                    reduced = node.op in ("sum", "mean")
                    found = xp.empty(each.shape if reduced else g.shape, g.dtype)
                    run(OPS[node.op].backward[position](xp, found, g, out, ins))
                target += _reduced(xp, found, each.shape)
            start += columns


class _Backward:
    """Collects the calls of a backward pass over one binding of a graph."""

    def __init__(
        self, replay: Replay, rows: int, arrays: Bound, given: Mapping[int, Array], memory: Memory
    ) -> None:
        self._replay, self._rows, self._arrays, self._given = replay, rows, arrays, given
        self._xp, self._plan, self._needing = replay._xp, replay._backward, replay._needing
        self._block, self._ones = memory.gradient, replay._workspace.ones(rows)
        self._begun = {each.index for each in replay.outputs} | replay._preset
        self.calls: Calls = []

    def gradient(self, index: int) -> Array:
        """Where the gradient of value number `index` lies."""
        plan, root = self._plan, self._plan.root(index)
        if root in self._given:
            return self._given[root]
        if root in plan.views:
            view = plan.views[root]
            whole = self.gradient(view.of)
            columns = self._replay.widths[root]
            return whole[:, view.start : view.start + columns]
        place = plan.places[root]
        return _cut(self._block, self._rows, place.start, place.columns)

    def scratch(self, columns: int, second: bool = False) -> Array:
        """Memory that no gradient lies in."""
        room = self._replay.columns["gradient"] - self._plan.columns
        start = self._plan.columns + (room // 2 if second else 0)
        return _cut(self._block, self._rows, start, columns)

    def node(self, number: int, node: Node) -> None:
        if node.op == "split":
            self._split(number, node)
        elif node.op == "concat":
            self._concat(node)
        elif node.op == "matmul":
            self._matmul(number, node)
        else:
            for position, each in enumerate(node.ins):
                if isinstance(each, Value) and each.index in self._needing and has_derivative(node, position):
                    self._contribute(node, position, each)

    def _split(self, number: int, node: Node) -> None:
        base, holder = node.values[0], self._plan.holders[number]
        for part in node.outs:
            if part.index not in self._begun:
                self.calls.append((self._xp.copyto, (self.gradient(part.index), 0.0)))
        if holder == base.index:
            self._begun.add(base.index)
        else:
            self._add(base, self.gradient(holder))

    def _concat(self, node: Node) -> None:
        whole, start = self.gradient(node.out.index), 0
        for each in node.values:
            if each.index in self._needing:
                view = self._plan.views.get(self._plan.root(each.index))
                if view is not None and view.of == node.out.index and view.start == start:
                    self._begun.add(each.index)
                else:
                    self._add(each, whole[:, start : start + each.columns])
            start += each.columns

    def _matmul(self, number: int, node: Node) -> None:
        x = node.values[0]
        g = self.gradient(node.out.index)
        if number in self._replay._sums:
            self.calls.append((self._replay._sums[number].add, (self._arrays[x.index], g)))
        if x.index in self._needing:
            self._contribute(node, 0, x)

    def _contribute(self, node: Node, position: int, each: Value) -> None:
        """dL/d(each) by one node."""
        xp, g, backward = self._xp, self.gradient(node.out.index), OPS[node.op].backward[position]
        ins, out = self._replay._ins(node, self._arrays), self._arrays[node.out.index]
        if backward is PASS:
            if each.shape == node.out.shape and each.rows and self._plan.same(each.index, node.out.index):
                self._begun.add(each.index)
                return
            self._add(each, g)
            return
        whole = each.rows and (each.shape == node.out.shape or node.op in ("sum", "mean", "matmul"))
        if whole and each.index not in self._begun:
            self.calls += backward(xp, self.gradient(each.index), g, out, ins)
            self._begun.add(each.index)
            return
        to = self.scratch(each.columns if whole else node.out.columns)
        self.calls += backward(xp, to, g, out, ins)
        self._add(each, to)

    def _add(self, each: Value, found: Array) -> None:
        """Adds `found`, of the shape of each or of what it was broadcast to, to the gradient of `each`."""
        xp = self._xp
        if not each.rows:
            target = self._replay._gradients[each.index]
            self.calls.append((_accumulate, (xp, target, found, self._ones)))
            return
        target, first = self.gradient(each.index), each.index not in self._begun
        self._begun.add(each.index)
        if found.shape != target.shape:
            to = target if first else self.scratch(1, second=True)
            self.calls.append((xp.sum, (found, -1, None, to, True)))
            if not first:
                self.calls.append((xp.add, (target, to, target)))
        elif first:
            self.calls.append((xp.copyto, (target, found)))
        else:
            self.calls.append((xp.add, (target, found, target)))


def _accumulate(xp: Namespace, target: Array, found: Array, ones: Array) -> None:
    """target += the sum of found (N, F) over the axes along which `target` was broadcast."""
    if target.size == found.shape[1]:
        target += xp.matmul(ones, found).reshape(target.shape)
    else:
        target += found.sum()


def _reduced(xp: Namespace, found: Array, shape: tuple[int, ...]) -> Array:
    """`found` summed over the axes along which an array of `shape` was broadcast to it."""
    lead = tuple(range(found.ndim - len(shape)))
    found = found.sum(axis=lead) if lead else found
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and found.shape[axis] != 1)
    return xp.broadcast_to(found.sum(axis=axes, keepdims=True) if axes else found, shape)


def _own(graph: Graph, outputs: Sequence[Traced]) -> list[Value]:
    """The outputs, each one a value of its own that some node computes into memory of its own."""
    split = {out.index for node in graph.nodes if node.op == "split" for out in node.outs}
    made = {node.out.index for node in graph.nodes if node.op != "split"}
    found: list[Value] = []
    for each in outputs:
        value = each.value
        taken = any(value.index == other.index for other in found)
        if taken or value.index in split or value.index not in made:
            value = graph.apply("copy", each).value
        found.append(value)
    return found


def _cut(block: Array, rows: int, start: int, columns: int) -> Array:
    return block[rows * start : rows * (start + columns)].reshape(rows, columns)
