"""A layer of an affine cell, one direction, as a scan over time.

s_t = a_t s_{t-1} + b_t, where every a_t and b_t is computed before the scan begins. The scan runs in blocks:
inside all blocks at once, then from block to block, then into the blocks. Its derivative is a scan from the
end. Padding is a = 1, b = 0; a reset is a = 0, b + a s_0. Two parts of a state are the real and the imaginary
part of complex numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite_numpy.cells.base import OutputGrads
from benchsuite_numpy.generic import GenericLayer, Layout, add_grads, fill
from benchsuite_numpy.kernels.derivatives import Calls
from benchsuite_numpy.kernels.parts import Parts
from benchsuite_numpy.kernels.replay import run
from benchsuite_numpy.kernels.step_layout import Arrays, Binder, Ends, GenericStep
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.runtime import Array, Namespace

BLOCKED = 1 << 9
"""Up to so many numbers in a step, blocks are faster: a loop over steps spends its time on calls. (A training
step in float32 on one thread, in blocks and in steps: T = 8192, 4 rows of 64: 40 and 56 ms; T = 784, 64 rows of
128: 102 and 87 ms.)"""


def scan(xp: Namespace, a: Array, b: Array, first: Array, out: Array) -> None:
    """out_t = a_t out_{t-1} + b_t over the first axis of arrays (T, B, H); `first` (B, H) is out_{-1}."""
    time, length = len(a), math.isqrt(len(a))
    if length < 3 or first.size > BLOCKED:
        _scan_steps(xp, a, b, first, out)
        return
    count = time // length
    inside = count * length
    shape = (count, length, *first.shape)
    blocks_a, blocks_b, blocks = (each[:inside].reshape(shape) for each in (a, b, out))
    factors = xp.empty(shape, out.dtype)
    factors[:, 0] = blocks_a[:, 0]
    blocks[:, 0] = blocks_b[:, 0]
    for step in range(1, length):
        xp.multiply(blocks_a[:, step], factors[:, step - 1], out=factors[:, step])
        xp.multiply(blocks_a[:, step], blocks[:, step - 1], out=blocks[:, step])
        xp.add(blocks[:, step], blocks_b[:, step], out=blocks[:, step])
    carry = first
    for block in range(count):
        xp.multiply(factors[block], carry, out=factors[block])
        xp.add(blocks[block], factors[block], out=blocks[block])
        carry = blocks[block, -1]
    _scan_steps(xp, a[inside:], b[inside:], carry, out[inside:])


def _scan_steps(xp: Namespace, a: Array, b: Array, first: Array, out: Array) -> None:
    before = first
    for step in range(len(a)):
        xp.multiply(a[step], before, out=out[step])
        xp.add(out[step], b[step], out=out[step])
        before = out[step]


@dataclass
class ScanLayout(Layout):
    """
    elements, elements_back  calls of elements(), forwards and backwards
    a, b, da, db             parts, (T, B, H) in time's order
    beyond                   (T, B): padding; None where there is none
    """

    elements: Calls
    elements_back: Calls
    a: list[Array]
    b: list[Array]
    da: list[Array]
    db: list[Array]
    beyond: Array


class ScanLayer(GenericLayer):
    """Its plan has every row at every step."""

    _layout: ScanLayout

    def record(self, name: str, weights: dict[str, tuple[Array, Array]]) -> Parts:
        return Parts(self.workspace, name, self.cell, (self.I, self.H), weights, self.below, scan=True)

    def lay_out(self, plan: Plan, keep: bool, resets: bool, stepwise: bool) -> ScanLayout:  # noqa: ARG002
        assert not stepwise
        assert plan.widths[-1] == plan.rows
        parts, view, count = self.parts, self.workspace.view, plan.time * plan.rows
        arrays = Arrays(self.workspace, parts, plan, (self.I, self.H), self.below, keep)
        binder = Binder(self.xp, self.workspace, self._truth, parts, arrays, keep)
        names, numbers = ("a", "b"), range(parts.count)
        flat = [view(f"{name}.{part}", (count, self.H)) for name in names for part in numbers]
        d_flat = (
            [view(f"d{name}.{part}", (count, self.H)) for name in names for part in numbers] if keep else flat
        )
        whole = slice(0, count)
        elements, back = binder.whole(
            "elements", parts.elements, whole, {"u": arrays.u}, flat, {"u": arrays.du}, d_flat
        )
        if keep and not parts.elements.reaches("u") and not parts.output.reaches("u"):
            back.append((self.xp.copyto, (arrays.du, 0.0)))
        shape, half = (plan.time, plan.rows, self.H), parts.count
        by_time, d_by_time = ([each.reshape(shape) for each in found] for found in (flat, d_flat))
        beyond = None
        if not plan.full:
            beyond = self.xp.arange(plan.rows) >= self.xp.asarray(plan.live)[:, None]
        return ScanLayout(
            arrays,
            self._steps(plan, arrays),
            binder.ends(whole),
            elements,
            back,
            a=by_time[:half],
            b=by_time[half:],
            da=d_by_time[:half],
            db=d_by_time[half:],
            beyond=beyond,
        )

    def _steps(self, plan: Plan, arrays: Arrays) -> list[GenericStep]:
        """Views of each step, for those who read them."""
        steps = []
        for t in reversed(range(plan.time)) if self.reverse else range(plan.time):
            rows = slice(t * plan.rows, (t + 1) * plan.rows)
            steps.append(
                GenericStep(
                    t=t,
                    width=plan.rows,
                    live=plan.live[t],
                    rows=rows,
                    x=arrays.x[rows],
                    y=arrays.y[rows],
                    before=[],
                    after=[part[rows] for part in arrays.after],
                    masked=None,
                    given=[],
                    back=[],
                    dx=None if arrays.dx is None else arrays.dx[rows],
                    dy=None if arrays.dy is None else arrays.dy[rows],
                    by_output=[],
                    ends=Ends(),
                )
            )
        return steps

    def forward(self, sources: Sequence[Sequence[Array]]) -> None:
        layout, plan = self._layout, self._plan
        self.prepare()
        for step in self.steps:
            fill(step.x, [source[step.t] for source in sources])
        run(layout.ends.enter)
        run(layout.elements)
        a, b = self._numbers(layout.a), self._numbers(layout.b)
        if self.resets is not None:  # the derivative of elements() reads what it gave
            a, b = a.copy(), b.copy()
        if layout.beyond is not None:
            a[layout.beyond], b[layout.beyond] = 1, 0
        start = self._start_value()
        for t, rows in enumerate(self.resets or []):
            b[t, rows] += a[t, rows] * start
            a[t, rows] = 0
        shape = (plan.time, plan.rows, self.H)
        states = [part.reshape(shape) for part in layout.arrays.after]
        first = self._numbers([part[None] for part in layout.arrays.initial])[0]
        found = states[0] if self.parts.count == 1 else self.xp.empty(shape, a.dtype)
        scan(self.xp, self._in_order(a), self._in_order(b), first, self._in_order(found))
        if self.parts.count == 2:
            states[0][...], states[1][...] = found.real, found.imag
        self._a, self._s, self._first = a, found, first
        run(layout.ends.leave)

    def backward(
        self, grads: OutputGrads, truncation: int | None, record: list[Array] | None
    ) -> list[Array] | None:
        layout, plan, xp = self._layout, self._plan, self.xp
        self.clear()
        g = self._output_gradients(grads)
        passed = xp.conj(self._in_order(self._a))  # dL/ds_{t-1} has this times dL/ds_t
        if self.parts.count == 1:
            passed = passed.copy()
        if truncation:
            for t in range(truncation, plan.time, truncation):
                if t != self.steps[0].t:
                    passed[self._place(t), : plan.live[t]] = 0
        ordered = self._in_order(g)
        backwards, factors = ordered[::-1], xp.empty_like(passed)
        factors[0], factors[1:] = 0, passed[:0:-1]
        scan(xp, factors, backwards.copy(), xp.zeros_like(self._first), backwards)
        by_first = passed[0] * ordered[0]
        if layout.beyond is not None:
            g[layout.beyond] = 0
        if record is not None:
            for t, live in enumerate(plan.live):
                record[t] = g[t, :live].real.T.copy()
        before = xp.empty_like(g)
        place = self._in_order(before)
        place[0], place[1:] = self._first, self._in_order(self._s)[:-1]
        start = self._start_value()
        for t, rows in enumerate(self.resets or []):
            before[t, rows] = start
            if t == self.steps[0].t:
                by_first[rows] = 0
        by_a = xp.multiply(g, xp.conj(before), out=before)
        for target, found in ((layout.da, by_a), (layout.db, g)):
            target[0][...] = found.real
            if self.parts.count == 2:
                target[1][...] = found.imag
        run(layout.elements_back)
        run(layout.ends.enter_back)
        self.finish()
        if not self.below:
            return None
        return [by_first.real.T] if self.parts.count == 1 else [by_first.real.T, by_first.imag.T]

    def _output_gradients(self, grads: OutputGrads) -> Array:
        """dL/d(s_t) by way of the output alone, (T, B, H) in time's order."""
        layout, plan = self._layout, self._plan
        shape = (plan.time, plan.rows, self.H)
        if self.parts.output.replay is None:
            direct = self.workspace.view("direct", shape)
            direct[...] = 0
            for t, found in enumerate(grads):
                add_grads(self.xp, direct[t], found)
            return self._numbers([direct, *(self.xp.zeros_like(direct) for _ in self.cell.state[1:])])
        layout.arrays.dy[...] = 0
        for step in self.steps:
            add_grads(self.xp, step.dy, grads[step.t])
        run(layout.ends.leave_back)
        parts = [
            self.xp.zeros(shape, self.dtype) if each is None else each.reshape(shape)
            for each in layout.arrays.by_output
        ]
        return self._numbers(parts)

    def _numbers(self, parts: Sequence[Array]) -> Array:
        """One array of the parts: real as it is, or complex, a copy."""
        return parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]

    def _start_value(self) -> complex | float:
        initial = [part.initial for part in self.cell.state]
        return initial[0] if len(initial) == 1 else complex(*initial)

    def _in_order(self, array: Array) -> Array:
        """(T, ...) in the order in which the direction goes through time."""
        return array[::-1] if self.reverse else array

    def _place(self, t: int) -> int:
        return self._plan.time - 1 - t if self.reverse else t
