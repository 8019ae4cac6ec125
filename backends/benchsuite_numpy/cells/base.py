"""What the kernels share: the loop over time, its memory, and the sum of the weights' gradients.

Everything is feature-major: a step's arrays are (rows of units, width), so that the gates are contiguous
blocks and one product serves input, recurrence and bias. A step's state is one array (K, width) that holds
h, the input and a row of ones; a step writes its h straight into the state of the next one.

A step may compute more rows than are live. Nobody reads their states, so nothing freezes them, and what
nobody reads has no gradient. Only the backward direction, where a row's own steps come after such columns,
begins its rows at zero and ends their gradients there.
"""

from __future__ import annotations

import abc
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from benchsuite_numpy.cells.outer import OuterSum
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.runtime import Array, Namespace

KEPT_PLANS = 4
"""Loop shapes whose views are kept; a batch of another shape makes its views anew, in the same memory."""

OutputGrads = Sequence[Sequence[tuple[slice, Array]]]
"""For every step t: (rows, dL/d(output) (H, rows)) pairs, to be added up."""


@dataclass
class Step:
    """The views of one step: t, its width w, its live rows, and

    state   (K, w)  [h; x; 1] as the cell orders them, before the step
    h       (H, w)  the h in `state`
    x       (I, w)  the input in `state`
    out     (H, w)  h after the step, inside the next state
    gates   (Z, w)  activations; the backward pass puts their gradients there
    back    (H, w) or (H + I, w)  dL/dh before the step and, where wanted, dL/dx
    starting_columns   of the next state: those whose row starts at the next step, at zero
    extra   what the cell adds (the LSTM's c)
    """

    t: int
    width: int
    live: int
    state: Array
    h: Array
    x: Array
    out: Array
    gates: Array
    back: Array
    starting_columns: list[Array] = field(default_factory=list)
    extra: Any = None


class Kernel(abc.ABC):
    """One direction of one layer. `I` inputs, `H` hidden units, K = state rows, Z = gate rows."""

    parts: ClassVar[int] = 1
    """Arrays in a row's state: h, or h and c."""

    def __init__(
        self,
        xp: Namespace,
        buffer: ParameterBuffer,
        prefix: str,
        inputs: int,
        hidden: int,
        *,
        reverse: bool,
        below: bool,
    ) -> None:
        """`below`: whether dL/dx is wanted."""
        self.xp, self.prefix, self.reverse, self.below = xp, prefix, reverse, below
        self.I, self.H = inputs, hidden
        self.dtype = str(buffer.values.dtype)
        self.workspace = Workspace(xp, self.dtype)
        self.weights = {name: buffer.value[f"{prefix}.{name}"] for name in self.shapes(inputs, hidden)}
        self.gradients = {name: buffer.gradient[f"{prefix}.{name}"] for name in self.weights}
        self.sum = OuterSum(xp, self.dtype, self.gate_rows, self.state_rows, self.products())
        self.steps: list[Step] = []
        self._plans: OrderedDict[tuple[Plan, bool], list[Step]] = OrderedDict()
        self._scratch: dict[int, Any] = {}
        self._fits: dict[int, list[Array]] = {}
        self._generation = -1
        self.set_up()

    # what a cell says of itself

    @staticmethod
    @abc.abstractmethod
    def shapes(inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """The kernel's own weight matrices, by name."""

    @staticmethod
    @abc.abstractmethod
    def pack(canonical: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The kernel's weights from the canonical ones (by last name)."""

    @staticmethod
    @abc.abstractmethod
    def unpack(own: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The canonical weights from the kernel's."""

    @property
    @abc.abstractmethod
    def state_rows(self) -> int: ...

    @property
    @abc.abstractmethod
    def gate_rows(self) -> int: ...

    @property
    @abc.abstractmethod
    def x_at(self) -> int:
        """The first of the state's I input rows."""

    @property
    @abc.abstractmethod
    def ones(self) -> list[int]:
        """The state's rows of ones."""

    @abc.abstractmethod
    def products(self) -> list[tuple[slice, slice, Array]]:
        """(gate rows, state rows, gradient): each gradient is the sum over time of gates @ state^T."""

    @property
    def back_rows(self) -> int:
        """Rows of dL/d(state) that are wanted: those of h, and of x where there is somebody below."""
        return self.H + (self.I if self.below else 0)

    @abc.abstractmethod
    def set_up(self) -> None:
        """Once: the products of the steps, over the weights' own memory."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Once a pass: the weights as the steps use them."""

    @abc.abstractmethod
    def cell_forward(self, step: Step) -> None:
        """Fill `out` and `gates` from `state`."""

    @abc.abstractmethod
    def cell_backward(self, step: Step, grads: list[Array], product: bool) -> list[Array]:
        """Turn `gates` into their gradients from dL/d(state after the step); dL/d(state before the step).

        Without `product` nobody reads the result nor `back`.
        """

    @abc.abstractmethod
    def work(self, width: int) -> Any:
        """Temporaries for steps of this width, from the workspace; those of all widths share their memory."""

    # the loop

    def scratch(self, width: int) -> Any:
        if width not in self._scratch:
            self._scratch[width] = self.work(width)
        return self._scratch[width]

    def activate(self, plan: Plan, keep: bool) -> None:
        """Make `steps` the views for this loop; `keep` for a backward pass after it."""
        key = (plan, keep)
        if self._plans and next(reversed(self._plans)) == key:
            return
        if key in self._plans:
            self._plans.move_to_end(key)
        else:
            self._plans[key] = self.lay_out(plan, keep)
            # where memory grew, older views are of dropped memory
            if self.workspace.generation != self._generation:
                self._plans = OrderedDict({key: self._plans[key]})
                self._scratch.clear()
                self._fits.clear()
                self._generation = self.workspace.generation
            while len(self._plans) > KEPT_PLANS:
                self._plans.popitem(last=False)
        self.steps = self._plans[key]
        for step in self.steps:  # another plan's numbers lie in the same memory
            for row in self.ones:
                step.state[row] = 1

    def lay_out(self, plan: Plan, keep: bool) -> list[Step]:
        """The steps' views into the workspace; without `keep` all steps share what only a backward pass
        reads."""
        order = list(reversed(range(plan.time))) if self.reverse else list(range(plan.time))
        widths = [plan.widths[t] for t in order]
        stored = stored_widths(widths)
        states = self.workspace.views("state", [(self.state_rows, w) for w in stored])
        per_step = self.workspace.views if keep else self.workspace.overlaid
        gates = per_step("gates", [(self.gate_rows, w) for w in widths])
        if self.below:
            backs = per_step("back", [(self.H + self.I, w) for w in widths])
        else:
            backs = self.workspace.overlaid("back", [(self.H, w) for w in widths])
        steps = []
        for s, (t, w) in enumerate(zip(order, widths, strict=True)):
            state, after = states[s][:, :w], states[s + 1][: self.H]
            h, x, out = state[: self.H], state[self.x_at : self.x_at + self.I], after[:, :w]
            step = Step(t, w, plan.live[t], state, h, x, out, gates[s], backs[s])
            starting = self.starting(plan, t)
            if starting.start < starting.stop:
                step.starting_columns.append(after[:, starting])
            steps.append(step)
        self.work(plan.rows)  # narrower steps' temporaries lie in the same memory
        self.workspace.views("fitted", self.parts * [(self.H, plan.rows)])
        return steps

    def starting(self, plan: Plan, t: int) -> slice:
        """The rows that start after step `t`, and those computed next that start later: read forwards, all
        have started before."""
        return slice(plan.live[t], plan.widths[t - 1]) if self.reverse and t else slice(0, 0)

    def start(self, plan: Plan, initial: Sequence[Array] | None, keep: bool) -> None:
        """Begin at `initial`, (H, B) for every part of the state, or at zero; `keep` for a backward pass."""
        self.activate(plan, keep)
        for index, part in enumerate(self.first_state()):
            part[...] = 0 if initial is None else initial[index]

    def first_state(self) -> list[Array]:
        return [self.steps[0].h]

    def outputs(self) -> list[Array]:
        """For every t: h after the step (H, w)."""
        found = [step.out for step in self.steps]
        return found[::-1] if self.reverse else found

    def state_after(self, step: Step) -> list[Array]:
        return [step.out]

    def last(self, plan: Plan) -> Array:
        """The forward direction's output at each row's own end, (H, B)."""
        return self.final(plan)[0]

    def final(self, plan: Plan) -> list[Array]:
        """The forward direction's state at each row's own end: (H, B) for every part."""
        found = [self.xp.empty((self.H, plan.rows), self.dtype) for _ in range(self.parts)]
        for step in self.steps:
            rows = plan.endings[step.t]
            if rows.start < rows.stop:
                for target, part in zip(found, self.state_after(step), strict=True):
                    target[:, rows] = part[:, rows]
        return found

    def input_gradients(self) -> list[Array]:
        """For every t: dL/dx (I, w)."""
        found = [step.back[self.H :] for step in self.steps]
        return found[::-1] if self.reverse else found

    def input_gradient(self, t: int) -> Array:
        """dL/dx (I, w) at step t of the forward direction."""
        return self.steps[t].back[self.H :]

    def forward(self, sources: Sequence[Sequence[Array]]) -> None:
        """Run the steps. Each source gives, for every t, some of the input's rows, one below the other."""
        self.prepare()
        for step in self.steps:
            self.forward_step(step, [source[step.t] for source in sources])

    def forward_step(self, step: Step, parts: Sequence[Array]) -> None:
        """Run one step; its input's rows are `parts`, one below the other."""
        if len(parts) == 1:
            step.x[...] = parts[0]  # of the many narrow steps a hundredth faster
        else:
            self.xp.concatenate(parts, out=step.x)
        self.cell_forward(step)
        for columns in step.starting_columns:
            columns[...] = 0

    def backward(
        self, grads: OutputGrads, truncation: int | None, record: list[Array] | None
    ) -> list[Array] | None:
        """Gradients of the weights, and of the input where wanted; dL/d(initial state) where `below`.

        record  if given, dL/dh_t (H, live) is put at its place t
        """
        self.clear()
        d_state: list[Array] | None = None
        first = self.steps[0]
        for step in reversed(self.steps):
            detached = bool(truncation and step.t and step.t % truncation == 0 and step is not first)
            wanted = self.below or not (detached or step is first)
            d_state = self.backward_step(step, d_state, grads[step.t], record, wanted)
            if detached:
                d_state = None
        self.finish()
        return d_state

    def clear(self) -> None:
        """Before a backward pass."""
        self.sum.clear()

    def finish(self) -> None:
        """After a backward pass: the weights' gradients are complete."""
        self.sum.finish()

    def backward_step(
        self,
        step: Step,
        d_state: list[Array] | None,
        grads: Sequence[tuple[slice, Array]],
        record: list[Array] | None,
        product: bool = True,
    ) -> list[Array]:
        """One step of backward(): dL/d(state before it), from dL/d(state after it) by way of the next step
        and `grads`, dL/d(output) by other ways. Without `product` nobody reads the result."""
        d_state = self._fitted(d_state, step.width)
        dh = d_state[0]
        for rows, value in grads:
            target = dh[:, rows]
            self.xp.add(target, value, out=target)
        if self.reverse and step.live < step.width:  # what came before a row's start is none of it
            for part in d_state:
                part[:, step.live :] = 0
        if record is not None:
            record[step.t] = dh[:, : step.live].copy()
        d_state = self.cell_backward(step, d_state, product)
        if step.live < step.width:
            self.sum.add(step.gates[:, : step.live], step.state[:, : step.live])
        else:
            self.sum.add(step.gates, step.state)
        return d_state

    def _fitted(self, d_state: list[Array] | None, width: int) -> list[Array]:
        """The same gradients for a step of another width: rows that start or end there have none."""
        if d_state is not None and d_state[0].shape[1] == width:
            return d_state
        if width not in self._fits:
            self._fits[width] = self.workspace.views("fitted", self.parts * [(self.H, width)])
        for index, target in enumerate(self._fits[width]):
            if d_state is None:
                target[...] = 0
            else:
                keep = min(width, d_state[index].shape[1])
                target[:, :keep] = d_state[index][:, :keep]
                target[:, keep:] = 0
        return self._fits[width]


def stored_widths(widths: list[int]) -> list[int]:
    """Widths of the states before, between and after steps of `widths`: each serves the wider neighbour."""
    return [max(a, b) for a, b in zip([0, *widths], [*widths, 0], strict=True)]
