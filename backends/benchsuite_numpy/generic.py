"""A layer of any cell, one direction: a loop over steps, each a replay of what the cell's code computes.

Rows first, unlike the kernels: a step's arrays are (width, H), those of all steps lie one behind the other, (N, H),
and inputs() and output() run over all of them at once. Rows are sorted by falling length (loops.Plan), so that
nothing is masked: rows that are computed beyond their end are read by nobody, and their gradients are zero.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchsuite.errors import ContractError
from benchsuite.schema.cells import cell_named, naming_cell
from benchsuite_numpy.cells.base import KEPT_PLANS, OutputGrads
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.derivatives import Calls
from benchsuite_numpy.kernels.graph import ROWS, Graph, Traced
from benchsuite_numpy.kernels.replay import Memory, Replay, Weight, run
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.operations import NUMPY_OPERATIONS as XP
from benchsuite_numpy.runtime import Array, Namespace


@dataclass
class GenericStep:
    """The views and calls of one step: t, its width w, its live rows, and

    before, after  the parts of the state, (w, H)
    masked         the h that the step's products read, where recurrent dropout masks it
    given, back    dL/d(the parts after it), and before it, (w, H)
    x, y           input (w, I) and output (w, H); dx, dy: their gradients
    """

    t: int
    width: int
    live: int
    rows: slice
    x: Array
    y: Array
    before: list[Array]
    after: list[Array]
    masked: Array = None
    given: list[Array] = field(default_factory=list)
    back: list[Array] = field(default_factory=list)
    dx: Array = None
    dy: Array = None
    by_output: list[Array | None] = field(default_factory=list)
    forward: Calls = field(default_factory=list)
    backward: Calls = field(default_factory=list)
    enter: Calls = field(default_factory=list)
    leave: Calls = field(default_factory=list)
    enter_back: Calls = field(default_factory=list)
    leave_back: Calls = field(default_factory=list)

    @property
    def h(self) -> Array:
        """(H, w): the first part of the state before the step."""
        return self.before[0].T

    @property
    def out(self) -> Array:
        """(H, w): the output."""
        return self.y.T


@dataclass
class Layout:
    """The views of a loop over one plan; `enter` ... as in GenericStep, of all steps at once."""

    steps: list[GenericStep]
    begins: Array
    dy: Array
    initial: list[Array]
    enter: Calls
    leave: Calls
    enter_back: Calls
    leave_back: Calls


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
        names = self.cell.parameters(inputs, hidden)
        self._weights = {name: buffer.value[f"{prefix}.{name}"] for name in names}
        self._gradients = {name: buffer.gradient[f"{prefix}.{name}"] for name in names}
        self._layouts: OrderedDict[tuple[Any, ...], Layout] = OrderedDict()
        self._generation = -1
        self.resets: list[Array] | None = None
        self.mask: Array = None
        self._record(cell)

    @property
    def steps(self) -> list[GenericStep]:
        return self._layout.steps

    # what the cell's code computes

    def _record(self, name: str) -> None:
        """Run the parts of the cell once, on values without numbers."""
        cell = self.cell
        graph, weights = self._graph()
        self._x, self._begins = graph.rows(self.I), graph.rows(1)
        with naming_cell(name, "inputs()"):
            u = cell.inputs(XP, self._by_name(weights, graph), self._x, self._begins)
            self.U = _columns(u)
        self._inputs = None
        if u is not self._x:
            self._inputs = Replay(self.workspace, graph, [u], weights, [self._x] if self.below else [])
        graph, weights = self._graph()
        self._out_u, self._out_state = graph.rows(self.U), self._parts(graph)
        with naming_cell(name, "output()"):
            y = cell.output(XP, self._by_name(weights, graph), self._out_u, self._out_state)
            _check((y,), self.H, 1)
        self._output = None
        if y is not self._out_state[0]:
            wanted = [self._out_u, *self._out_state]
            self._output = Replay(self.workspace, graph, [y], weights, wanted)
        preset = self._output is not None and self._out_u.value.index in self._output.reached
        self._record_steps(name, preset)

    def _record_steps(self, name: str, preset: bool) -> None:
        graph, weights = self._graph()
        self._u, self._h, self._state = graph.rows(self.U), graph.rows(self.H), self._parts(graph)
        with naming_cell(name, "step()"):
            new = self.cell.step(XP, self._by_name(weights, graph), self._u, self._h, self._state)
            _check(new, self.H, len(self.cell.state))
        wanted = [self._u, self._h, *self._state]
        self._step = Replay(self.workspace, graph, new, weights, wanted, [self._u] if preset else [])

    def _graph(self) -> tuple[Graph, list[Weight]]:
        graph = Graph()
        weights = [
            Weight(graph.weight(array.shape).value, array, self._gradients[name])
            for name, array in self._weights.items()
        ]
        return graph, weights

    def _by_name(self, weights: list[Weight], graph: Graph) -> dict[str, Traced]:
        return {
            name: Traced(graph, weight.value) for name, weight in zip(self._weights, weights, strict=True)
        }

    def _parts(self, graph: Graph) -> tuple[Traced, ...]:
        return tuple(graph.rows(self.H) for _ in self.cell.state)

    @property
    def _replays(self) -> list[Replay]:
        return [each for each in (self._inputs, self._step, self._output) if each is not None]

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
            self._layouts[key] = self._lay_out(plan, keep, self.reverse or resets is not None, stepwise)
            generation = self.workspace.generation + self._truth.generation
            if generation != self._generation:  # where memory grew, older views are of dropped memory
                self._layouts = OrderedDict({key: self._layouts[key]})
                self._generation = generation
            while len(self._layouts) > KEPT_PLANS:
                self._layouts.popitem(last=False)
        self._layout, self._plan, self.resets, self.mask = self._layouts[key], plan, resets, mask
        for index, part in enumerate(self._layout.initial):
            part[...] = self.cell.state[index].initial if initial is None else initial[index].T
        if self.cell.reads_begins:
            self._fill_begins(plan, fresh=initial is None)

    def _fill_begins(self, plan: Plan, fresh: bool) -> None:
        """One where the state before the step is the initial one."""
        begins, ends = self._layout.begins, plan.width_ends
        begins[...] = 0
        if self.reverse:
            for t, rows in enumerate(plan.endings):
                begins[ends[t] + rows.start : ends[t] + rows.stop] = 1
        elif fresh:
            begins[: plan.rows] = 1
        for t, rows in enumerate(self.resets or []):
            begins[ends[t] + rows] = 1

    def _memory(self, name: str, replay: Replay, count: int, rows: slice) -> Memory:
        """For a run over `rows` of `count` in all; what is not kept is shared by all of its runs."""
        columns, size = replay.columns, rows.stop - rows.start
        kept, truth = columns["kept"], columns["truth"]
        return Memory(
            self.workspace.view(f"{name}.kept", (count * kept,))[rows.start * kept :],
            self.workspace.view(f"{name}.temporary", (size * columns["temporary"],)),
            self._truth.view(name, (count * truth,))[rows.start * truth :],
            self.workspace.view(f"{name}.gradient", (size * columns["gradient"],)),
        )

    def _lay_out(self, plan: Plan, keep: bool, copied: bool, stepwise: bool) -> Layout:
        count, ends, H = plan.width_ends[-1], plan.width_ends, self.H
        view, parts = self.workspace.view, range(len(self.cell.state))
        x, begins = view("x", (count, self.I)), view("begins", (count, 1))
        begins[...] = 0
        u = x if self._inputs is None else view("u", (count, self.U))
        after = [view(f"after.{part}", (count, H)) for part in parts]
        initial = [view(f"initial.{part}", (plan.rows, H)) for part in parts]
        y = after[0] if self._output is None else view("y", (count, H))
        befores = [view(f"before.{part}", (count, H)) for part in parts] if copied else None
        masked = view("masked", (count, H)) if self.masked else None
        dx = view("dx", (count, self.I)) if keep and self.below else None
        du = (dx if self._inputs is None and self.below else view("du", (count, self.U))) if keep else None
        dy = view("dy", (count, H)) if keep and self._output is not None else None
        by_output: list[Array | None] = [None for _ in parts]
        if keep and self._output is not None:
            for part in parts:
                if self._out_state[part].value.index in self._output.reached:
                    by_output[part] = view(f"by_output.{part}", (count, H))
        if dx is not None and self._inputs is not None and self._x.value.index not in self._inputs.reached:
            dx[...] = 0
        turns = [[view(f"turn.{part}.{turn}", (plan.rows, H)) for part in parts] for turn in (0, 1)]

        def entering(rows: slice, binding: bool) -> tuple[Calls, Calls]:
            if self._inputs is None or not binding:
                return [], []
            (out,), size = self._inputs.outputs, rows.stop - rows.start
            memory = self._memory("inputs", self._inputs, count, rows)
            given = {
                self._x.value.index: x[rows],
                self._begins.value.index: begins[rows],
                out.index: u[rows],
            }
            calls, arrays = self._inputs.bind_forward(size, given, memory)
            if not keep:
                return calls, []
            grads = {out.index: du[rows]}
            if self.below:
                grads[self._x.value.index] = dx[rows]
            return calls, self._inputs.bind_backward(size, arrays, grads, memory)

        def leaving(rows: slice, binding: bool) -> tuple[Calls, Calls]:
            if self._output is None or not binding:
                return [], []
            (out,), size = self._output.outputs, rows.stop - rows.start
            memory = self._memory("output", self._output, count, rows)
            given = {self._out_u.value.index: u[rows], out.index: y[rows]}
            given |= {each.value.index: after[part][rows] for part, each in enumerate(self._out_state)}
            calls, arrays = self._output.bind_forward(size, given, memory)
            if not keep:
                return calls, []
            grads = {out.index: dy[rows], self._out_u.value.index: du[rows]}
            for each, found in zip(self._out_state, by_output, strict=True):
                grads[each.value.index] = None if found is None else found[rows]
            return calls, self._output.bind_backward(size, arrays, grads, memory)

        steps: list[GenericStep] = []
        order = list(reversed(range(plan.time))) if self.reverse else list(range(plan.time))
        self._by_h = view("by_h", (plan.rows, H))
        self._memory("step", self._step, count if keep else plan.rows, slice(0, plan.rows))  # the largest one
        for s, t in enumerate(order):
            rows, w = slice(ends[t], ends[t + 1]), plan.widths[t]
            if befores is not None:
                before = [part[rows] for part in befores]
            elif s == 0:
                before = [part[:w] for part in initial]
            else:
                before = [part[:w] for part in steps[-1].after]
            step = GenericStep(t, w, plan.live[t], rows, x[rows], y[rows], before, [a[rows] for a in after])
            own = rows if keep else slice(0, w)  # without a backward pass all steps share what it would read
            memory = self._memory("step", self._step, count if keep else plan.rows, own)
            step.masked = None if masked is None else masked[rows]
            step.given, step.back = ([part[:w] for part in turns[(s + turn) % 2]] for turn in (1, 0))
            step.dx = None if dx is None else dx[rows]
            step.dy = None if dy is None else dy[rows]
            step.by_output = [None if each is None else each[rows] for each in by_output]
            self._bind_step(step, u[rows], du[rows] if keep else None, memory, keep)
            step.enter, step.enter_back = entering(rows, stepwise)
            step.leave, step.leave_back = leaving(rows, stepwise)
            steps.append(step)
        whole = slice(0, count)
        enter, enter_back = entering(whole, not stepwise)
        leave, leave_back = leaving(whole, not stepwise)
        return Layout(steps, begins, dy, initial, enter, leave, enter_back, leave_back)

    def _bind_step(self, step: GenericStep, u: Array, du: Array, memory: Memory, keep: bool) -> None:
        replay, xp, w = self._step, self.xp, step.width
        h = step.before[0] if step.masked is None else step.masked
        given = {self._u.value.index: u, self._h.value.index: h}
        given |= {each.value.index: step.before[part] for part, each in enumerate(self._state)}
        given |= {each.index: step.after[part] for part, each in enumerate(replay.outputs)}
        step.forward, arrays = replay.bind_forward(w, given, memory)
        if not keep:
            return
        grads = {each.index: step.given[part] for part, each in enumerate(replay.outputs)}
        grads[self._u.value.index] = du
        by_h, by_state = (each.value.index in replay.reached for each in (self._h, self._state[0]))
        other = self._by_h[:w]
        direct = step.masked is None
        grads[self._h.value.index] = step.back[0] if direct else other
        grads[self._state[0].value.index] = other if direct and by_h else step.back[0]
        finish: Calls = []
        if by_h and direct and by_state:
            finish.append((xp.add, (step.back[0], other, step.back[0])))
        elif by_h and not direct:
            finish.append((self._through_mask, (step, other, by_state)))
        elif not by_h and not by_state:
            finish.append((xp.copyto, (step.back[0], 0.0)))
        for part, each in enumerate(self._state):
            if part:
                grads[each.value.index] = step.back[part]
                if each.value.index not in replay.reached:
                    finish.append((xp.copyto, (step.back[part], 0.0)))
        if self._u.value.index not in replay.reached and not replay.is_preset(self._u):
            finish.append((xp.copyto, (du, 0.0)))
        step.backward = replay.bind_backward(w, arrays, grads, memory) + finish

    def _through_mask(self, step: GenericStep, by_h: Array, by_state: bool) -> None:
        self.xp.multiply(by_h, self.mask[: step.width], out=by_h)
        if by_state:
            self.xp.add(step.back[0], by_h, out=step.back[0])
        else:
            step.back[0][...] = by_h

    # forwards

    def prepare(self) -> None:
        """Once a pass."""
        for replay in self._replays:
            replay.prepare()

    def forward(self, sources: Sequence[Sequence[Array]]) -> None:
        """Run the steps. Each source gives, for every t, some of the input's columns, (., width)."""
        self.prepare()
        for step in self.steps:
            _fill(step.x, [source[step.t] for source in sources])
        run(self._layout.enter)
        previous: GenericStep | None = None
        for step in self.steps:
            self._advance(step, previous)
            previous = step
        run(self._layout.leave)

    def forward_step(self, step: GenericStep, parts: Sequence[Array]) -> None:
        """Run one step; its input's columns are `parts`, (., width)."""
        _fill(step.x, parts)
        run(step.enter)
        place = step.t if not self.reverse else len(self.steps) - 1 - step.t
        self._advance(step, self.steps[place - 1] if place else None)
        run(step.leave)

    def _advance(self, step: GenericStep, previous: GenericStep | None) -> None:
        if self.reverse or self.resets is not None:
            self._copy_before(step, previous)
        if step.masked is not None:
            self.xp.multiply(step.before[0], self.mask[: step.width], out=step.masked)
        for function, arguments in step.forward:
            function(*arguments)

    def _copy_before(self, step: GenericStep, previous: GenericStep | None) -> None:
        """The state before a step where some rows start there."""
        carried = 0
        if previous is not None:
            carried = previous.live if self.reverse else step.width
        for part, (target, initial) in enumerate(zip(step.before, self._layout.initial, strict=True)):
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
        for gradient in self._gradients.values():
            gradient[...] = 0
        for replay in self._replays:
            replay.clear()

    def finish(self) -> None:
        """After a backward pass: the weights' gradients are complete."""
        for replay in self._replays:
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
        if self._output is not None:
            self._layout.dy[...] = 0
            for step in self.steps:
                _add_grads(self.xp, step.dy, grads[step.t])
            run(self._layout.leave_back)
        first, width = self.steps[0], 0
        for step in reversed(self.steps):
            self._fit(step, width)
            self._back(step, grads[step.t] if self._output is None else (), record)
            detached = bool(truncation and step.t and step.t % truncation == 0 and step is not first)
            width = 0 if detached else step.width
        run(self._layout.enter_back)
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
        if self._output is not None:
            step.dy[...] = 0
            _add_grads(self.xp, step.dy, grads)
            run(step.leave_back)
        self._back(step, grads if self._output is None else (), record)
        run(step.enter_back)
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
        _add_grads(self.xp, step.given[0], grads)
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


def _fill(x: Array, parts: Sequence[Array]) -> None:
    """x (w, I) from its columns, (., w) each."""
    start = 0
    for part in parts:
        x[:, start : start + len(part)] = part.T
        start += len(part)


def _add_grads(xp: Namespace, target: Array, grads: Sequence[tuple[slice, Array]]) -> None:
    """target (w, H) += each of grads, (rows, (H, rows))."""
    for rows, value in grads:
        part = target[rows]
        xp.add(part, value.T, out=part)


def _columns(u: Any) -> int:
    """U of what inputs() gave."""
    if not isinstance(u, Traced) or len(u.value.shape) != 2 or not u.value.rows:
        shape = u.value.shape if isinstance(u, Traced) else type(u).__name__
        raise ContractError(f"gave {shape}, must be an array (N, U) with a row for each row of x")
    return u.value.columns


def _check(found: Any, hidden: int, count: int) -> None:
    """Raises ContractError unless there are `count` arrays (N, H)."""
    shapes = [each.value.shape if isinstance(each, Traced) else type(each).__name__ for each in found]
    if shapes != count * [(ROWS, hidden)]:
        shown = str(shapes).replace(str(ROWS), "N")
        raise ContractError(f"gave {shown}, must be {count} of (N, {hidden})")
