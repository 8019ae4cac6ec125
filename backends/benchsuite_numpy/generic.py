"""A layer of any cell, one direction: a loop over steps, each a replay of what the cell's code computes.

Rows first, unlike the kernels: a step's arrays are (width, H), those of all steps lie one behind the other,
(N, H), and inputs() and output() run over all of them at once. Rows are sorted by falling length (loops.Plan),
so that nothing is masked: rows that are computed beyond their end are read by nobody, and their gradients are
zero.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchsuite.schema.cells import cell_named
from benchsuite_numpy.cells.base import KEPT_PLANS, OutputGrads
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.parts import Parts
from benchsuite_numpy.kernels.replay import run
from benchsuite_numpy.kernels.step_layout import Arrays, Binder, Ends, GenericStep, lay_out
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.runtime import Array, Namespace


@dataclass
class Layout:
    """The arrays of a loop over one plan, its steps in the order in which they run, and its ends, where those
    are computed of all steps at once."""

    arrays: Arrays
    steps: list[GenericStep]
    ends: Ends


class GenericLayer:
    """What a Kernel is, for a cell without one. Parameters have the canonical names and layout."""

    def __init__(
        self,
        xp: Namespace,
        buffer: ParameterBuffer,
        prefix: str,
        inputs: int,
        hidden: int,
        *,
        cell: str,
        reverse: bool,
        below: bool,
        masked: bool = False,
    ) -> None:
        """`below`: whether dL/dx is wanted. `masked`: whether a mask on h comes with every pass."""
        self.xp, self.prefix, self.reverse, self.below = xp, prefix, reverse, below
        self.I, self.H, self.masked = inputs, hidden, masked
        self.cell = cell_named(cell)
        self.dtype = str(buffer.values.dtype)
        self.workspace, self._truth = Workspace(xp, self.dtype), Workspace(xp, "bool")
        names = [f"{prefix}.{name}" for name in self.cell.parameters(inputs, hidden)]
        weights = {name[len(prefix) + 1 :]: (buffer.value[name], buffer.gradient[name]) for name in names}
        self._gradients = [gradient for _, gradient in weights.values()]
        self.parts = self.record(cell, weights)
        self._layouts: OrderedDict[tuple[Any, ...], Layout] = OrderedDict()
        self._generation = -1
        self._layout: Layout
        self.resets: list[Array] | None = None

    def record(self, name: str, weights: dict[str, tuple[Array, Array]]) -> Parts:
        """What the cell's code computes."""
        return Parts(self.workspace, name, self.cell, (self.I, self.H), weights, self.below)

    @property
    def steps(self) -> list[GenericStep]:
        return self._layout.steps

    # memory

    def start(
        self,
        plan: Plan,
        initial: Sequence[Array] | None,
        keep: bool,
        *,
        resets: list[Array] | None = None,
        mask: Array = None,
        stepwise: bool = False,
    ) -> None:
        """Begin at `initial`, (H, B) for every part of the state, or at the cell's initial values.

        keep      for a backward pass after it
        resets    for every t, the numbers of the rows whose state is set to the initial values before the step
        mask      (B, H), of recurrent dropout
        stepwise  for forward_step() and backward_step() instead of forward() and backward()
        """
        key = (plan, keep, resets is not None, stepwise)
        if key in self._layouts:
            self._layouts.move_to_end(key)
        else:
            self._layouts[key] = self.lay_out(plan, keep, resets is not None, stepwise)
            generation = self.workspace.generation + self._truth.generation
            if generation != self._generation:  # where memory grew, older views are of dropped memory
                self._layouts = OrderedDict({key: self._layouts[key]})
                self._generation = generation
            while len(self._layouts) > KEPT_PLANS:
                self._layouts.popitem(last=False)
        self._layout, self._plan, self.resets = self._layouts[key], plan, resets
        for index, part in enumerate(self._layout.arrays.initial):
            part[...] = self.cell.state[index].initial if initial is None else initial[index].T
        if self.masked:
            self.workspace.view("mask", (plan.rows, self.H))[...] = 1 if mask is None else mask
        if self.cell.reads_begins:
            self._fill_begins(plan, fresh=initial is None)

    def _fill_begins(self, plan: Plan, fresh: bool) -> None:
        """One where the state before the step is the initial one."""
        begins, ends = self._layout.arrays.begins, plan.width_ends
        begins[...] = 0
        if self.reverse:
            for t, rows in enumerate(plan.endings):
                begins[ends[t] + rows.start : ends[t] + rows.stop] = 1
        elif fresh:
            begins[: plan.rows] = 1
        for t, rows in enumerate(self.resets or []):
            begins[ends[t] + rows] = 1

    def lay_out(self, plan: Plan, keep: bool, resets: bool, stepwise: bool) -> Layout:
        arrays = Arrays(self.workspace, self.parts, plan, (self.I, self.H), self.below, keep)
        binder = Binder(self.xp, self.workspace, self._truth, self.parts, arrays, keep)
        steps = lay_out(
            binder,
            self.workspace,
            plan,
            self.H,
            reverse=self.reverse,
            copied=self.reverse or resets,
            masked=self.masked,
            stepwise=stepwise,
        )
        return Layout(arrays, steps, Ends() if stepwise else binder.ends(slice(0, arrays.count)))

    # forwards

    def prepare(self) -> None:
        """Once a pass."""
        for replay in self.parts.replays:
            replay.prepare()

    def forward(self, sources: Sequence[Sequence[Array]]) -> None:
        """Run the steps. Each source gives, for every t, some of the input's columns, (., width)."""
        self.prepare()
        for step in self.steps:
            fill(step.x, [source[step.t] for source in sources])
        run(self._layout.ends.enter)
        previous: GenericStep | None = None
        for step in self.steps:
            self._advance(step, previous)
            previous = step
        run(self._layout.ends.leave)

    def forward_step(self, step: GenericStep, parts: Sequence[Array]) -> None:
        """Run one step; its input's columns are `parts`, (., width)."""
        fill(step.x, parts)
        run(step.ends.enter)
        place = step.t if not self.reverse else len(self.steps) - 1 - step.t
        self._advance(step, self.steps[place - 1] if place else None)
        run(step.ends.leave)

    def _advance(self, step: GenericStep, previous: GenericStep | None) -> None:
        if self.reverse or self.resets is not None:
            self._copy_before(step, previous)
        if step.masked is not None:
            self.xp.multiply(step.before[0], step.mask, out=step.masked)
        for function, arguments in step.forward:
            function(*arguments)

    def _copy_before(self, step: GenericStep, previous: GenericStep | None) -> None:
        """The state before a step where some rows start there."""
        carried = 0
        if previous is not None:
            carried = previous.live if self.reverse else step.width
        for part, (target, initial) in enumerate(zip(step.before, self._layout.arrays.initial, strict=True)):
            if previous is not None:
                target[:carried] = previous.after[part][:carried]
            target[carried:] = initial[carried : step.width]
            if self.resets is not None:
                target[self.resets[step.t]] = self.cell.state[part].initial

    def outputs(self) -> list[Array]:
        """For every t: the output (H, w)."""
        found = [step.out for step in self.steps]
        return found[::-1] if self.reverse else found

    def state_after(self, step: GenericStep) -> list[Array]:
        return [part.T for part in step.after]

    def final(self, plan: Plan) -> list[Array]:
        """The forward direction's state at each row's own end: (H, B) for every part."""
        return [
            self._at_ends(plan, lambda step, p=part: step.after[p]) for part in range(len(self.cell.state))
        ]

    def last(self, plan: Plan) -> Array:
        """The forward direction's output at each row's own end, (H, B)."""
        return self._at_ends(plan, lambda step: step.y)

    def _at_ends(self, plan: Plan, of: Any) -> Array:
        found = self.xp.empty((plan.rows, self.H), self.dtype)
        for step in self.steps:
            rows = plan.endings[step.t]
            if rows.start < rows.stop:
                found[rows] = of(step)[rows]
        return found.T

    # backwards

    def clear(self) -> None:
        """Before a backward pass."""
        for gradient in self._gradients:
            gradient[...] = 0
        for replay in self.parts.replays:
            replay.clear()

    def finish(self) -> None:
        """After a backward pass: the weights' gradients are complete."""
        for replay in self.parts.replays:
            replay.finish()

    def input_gradients(self) -> list[Array]:
        """For every t: dL/dx (I, w)."""
        found = [step.dx.T for step in self.steps]
        return found[::-1] if self.reverse else found

    def input_gradient(self, t: int) -> Array:
        """dL/dx (I, w) at step t of the forward direction."""
        return self.steps[t].dx.T

    def backward(
        self, grads: OutputGrads, truncation: int | None, record: list[Array] | None
    ) -> list[Array] | None:
        """Gradients of the weights, and of the input where wanted; dL/d(initial state), (H, B) for every part,
        where `below`.

        record  if given, dL/dh_t (H, live) is put at its place t
        """
        self.clear()
        if self.parts.output.replay is not None:
            self._layout.arrays.dy[...] = 0
            for step in self.steps:
                add_grads(self.xp, step.dy, grads[step.t])
            run(self._layout.ends.leave_back)
        first, width = self.steps[0], 0
        for step in reversed(self.steps):
            self._fit(step, width)
            self._back(step, grads[step.t] if self.parts.output.replay is None else (), record)
            detached = bool(truncation and step.t and step.t % truncation == 0 and step is not first)
            width = 0 if detached else step.width
        run(self._layout.ends.enter_back)
        self.finish()
        return [part.T for part in first.back] if self.below else None

    def backward_step(
        self,
        step: GenericStep,
        d_state: list[Array] | None,
        grads: Sequence[tuple[slice, Array]],
        record: list[Array] | None,
        product: bool = True,  # noqa: ARG002
    ) -> list[Array]:
        """One step of a backward pass after forward_step(); d_state is what this method gave for the step
        after."""
        self._fit(step, 0 if d_state is None else d_state[0].shape[1])
        if self.parts.output.replay is not None:
            step.dy[...] = 0
            add_grads(self.xp, step.dy, grads)
            run(step.ends.leave_back)
        self._back(step, grads if self.parts.output.replay is None else (), record)
        run(step.ends.enter_back)
        return [part.T for part in step.back]

    def _fit(self, step: GenericStep, width: int) -> None:
        """Rows that end at a step have no gradient from later ones."""
        if width < step.width:
            for part in step.given:
                part[width:] = 0

    def _back(
        self, step: GenericStep, grads: Sequence[tuple[slice, Array]], record: list[Array] | None
    ) -> None:
        """dL/d(state before the step) from dL/d(state after it), which lies in `given`."""
        add_grads(self.xp, step.given[0], grads)
        for part, found in zip(step.given, step.by_output, strict=True):
            if found is not None:
                self.xp.add(part, found, out=part)
        if self.reverse and step.live < step.width:  # what came before a row's start is none of it
            for part in step.given:
                part[step.live :] = 0
        if record is not None:
            record[step.t] = step.given[0][: step.live].T.copy()
        for function, arguments in step.backward:
            function(*arguments)
        if self.resets is not None:
            for part in step.back:
                part[self.resets[step.t]] = 0


def fill(x: Array, parts: Sequence[Array]) -> None:
    """x (w, I) from its columns, (., w) each."""
    start = 0
    for part in parts:
        x[:, start : start + len(part)] = part.T
        start += len(part)


def add_grads(xp: Namespace, target: Array, grads: Sequence[tuple[slice, Array]]) -> None:
    """target (w, H) += each of grads, (rows, (H, rows))."""
    for rows, value in grads:
        part = target[rows]
        xp.add(part, value.T, out=part)
