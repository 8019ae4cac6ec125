"""Where a layer's arrays lie in a loop over one plan, and which calls are made on them.

Arrays of all steps lie one behind the other, (N, .), N the sum of the plan's widths, step 0 first in both
directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchsuite_numpy.kernels.derivatives import Calls
from benchsuite_numpy.kernels.parts import Part, Parts
from benchsuite_numpy.kernels.replay import Memory, Replay
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.runtime import Array, Namespace


@dataclass
class Ends:
    """Calls of inputs() and output(), forwards and backwards: of all steps at once, or of one."""

    enter: Calls = field(default_factory=list)
    leave: Calls = field(default_factory=list)
    enter_back: Calls = field(default_factory=list)
    leave_back: Calls = field(default_factory=list)


@dataclass
class GenericStep:
    """The views and calls of one step: t, its width w, its live rows, and

    rows           those of its arrays in the arrays of all steps
    x, y           input (w, I) and output (w, H); dx, dy: their gradients
    before, after  the parts of the state, (w, H)
    masked         the h that the step's products read, where recurrent dropout masks it; mask: by what, (w, H)
    given, back    dL/d(the parts after it), and before it, (w, H)
    by_output      dL/d(the parts after it) by way of output(), where there is one
    ends           where inputs() and output() run step by step
    """

    t: int
    width: int
    live: int
    rows: slice
    x: Array
    y: Array
    before: list[Array]
    after: list[Array]
    masked: Array
    given: list[Array]
    back: list[Array]
    dx: Array
    dy: Array
    by_output: list[Array]
    ends: Ends
    mask: Array = None
    forward: Calls = field(default_factory=list)
    backward: Calls = field(default_factory=list)

    @property
    def h(self) -> Array:
        """(H, w): the first part of the state before the step."""
        return self.before[0].T

    @property
    def out(self) -> Array:
        """(H, w): the output."""
        return self.y.T


class Arrays:
    """The arrays of all steps. `keep`: for a backward pass too.

    x (N, I), begins (N, 1), u (N, U), y (N, H); after, initial: (N, H) and (B, H) for every part of the state;
    dx, du, dy, by_output: gradients, None where there is nothing to compute
    """

    def __init__(
        self, workspace: Workspace, parts: Parts, plan: Plan, sizes: tuple[int, int], below: bool, keep: bool
    ) -> None:
        view, (inputs, hidden) = workspace.view, sizes
        self.count = count = plan.width_ends[-1]
        numbers = range(parts.count)
        entered, left = parts.inputs.replay is not None, parts.output.replay is not None
        self.x, self.begins = view("x", (count, inputs)), view("begins", (count, 1))
        self.begins[...] = 0
        self.u = view("u", (count, parts.U)) if entered else self.x
        self.after = [view(f"after.{part}", (count, hidden)) for part in numbers]
        self.initial = [view(f"initial.{part}", (plan.rows, hidden)) for part in numbers]
        self.y = view("y", (count, hidden)) if left else self.after[0]
        self.dx: Array = None
        self.du: Array = None
        self.dy: Array = None
        self.by_output: list[Array] = [None for _ in numbers]
        if not keep:
            return
        if below:
            self.dx = view("dx", (count, inputs))
            if entered and not parts.inputs.reaches("x"):
                self.dx[...] = 0
        self.du = self.dx if below and not entered else view("du", (count, parts.U))
        if left:
            self.dy = view("dy", (count, hidden))
            for part in numbers:
                if parts.output.reaches(str(part)):
                    self.by_output[part] = view(f"by_output.{part}", (count, hidden))


class Binder:
    """Binds the parts of a cell to the arrays of a loop."""

    def __init__(
        self, xp: Namespace, workspace: Workspace, truth: Workspace, parts: Parts, arrays: Arrays, keep: bool
    ) -> None:
        """`truth`: memory of comparisons' results."""
        self.xp, self._workspace, self._truth = xp, workspace, truth
        self.parts, self.arrays, self.keep = parts, arrays, keep

    def memory(self, name: str, replay: Replay, count: int, rows: slice) -> Memory:
        """For a run over `rows` of `count` in all; what is not kept is shared by all of its runs."""
        columns, size, view = replay.columns, rows.stop - rows.start, self._workspace.view
        kept, truth = columns["kept"], columns["truth"]
        return Memory(
            view(f"{name}.kept", (count * kept,))[rows.start * kept :],
            view(f"{name}.temporary", (size * columns["temporary"],)),
            self._truth.view(name, (count * truth,))[rows.start * truth :],
            view(f"{name}.gradient", (size * columns["gradient"],)),
        )

    def ends(self, rows: slice) -> Ends:
        """inputs() and output() of some rows."""
        arrays, found = self.arrays, Ends()
        found.enter, found.enter_back = self.whole(
            "inputs",
            self.parts.inputs,
            rows,
            {"x": arrays.x, "begins": arrays.begins},
            [arrays.u],
            {"x": arrays.dx},
            [arrays.du],
        )
        states = {str(part): after for part, after in enumerate(arrays.after)}
        by_output = {str(part): each for part, each in enumerate(arrays.by_output)}
        found.leave, found.leave_back = self.whole(
            "output",
            self.parts.output,
            rows,
            {"u": arrays.u} | states,
            [arrays.y],
            {"u": arrays.du} | by_output,
            [arrays.dy],
        )
        return found

    def whole(
        self,
        name: str,
        part: Part,
        rows: slice,
        given: Mapping[str, Array],
        outputs: Sequence[Array],
        d_given: Mapping[str, Array],
        d_outputs: Sequence[Array],
    ) -> tuple[Calls, Calls]:
        """The calls of a part, forwards and backwards, on `rows` of its arrays."""
        replay = part.replay
        if replay is None:
            return [], []
        size, numbers = rows.stop - rows.start, [each.index for each in replay.outputs]
        memory = self.memory(name, replay, self.arrays.count, rows)
        places = {part.number(key): array[rows] for key, array in given.items()}
        places |= {number: array[rows] for number, array in zip(numbers, outputs, strict=True)}
        calls, bound = replay.bind_forward(size, places, memory)
        if not self.keep:
            return calls, []
        gradients = {part.number(key): array[rows] for key, array in d_given.items() if array is not None}
        gradients |= {number: array[rows] for number, array in zip(numbers, d_outputs, strict=True)}
        return calls, replay.bind_backward(size, bound, gradients, memory)


def lay_out(
    binder: Binder,
    workspace: Workspace,
    plan: Plan,
    hidden: int,
    *,
    reverse: bool,
    copied: bool,
    masked: bool,
    stepwise: bool,
) -> list[GenericStep]:
    """The steps in the order in which they run.

    copied    whether the state before a step is a copy, because some rows start anew there
    masked    whether h is masked
    stepwise  whether inputs() and output() run step by step
    """
    arrays, parts, keep = binder.arrays, binder.parts, binder.keep
    view, numbers, ends = workspace.view, range(parts.count), plan.width_ends
    befores = [view(f"before.{part}", (arrays.count, hidden)) for part in numbers] if copied else None
    masks = view("masked", (arrays.count, hidden)) if masked else None
    turns = [[view(f"turn.{part}.{turn}", (plan.rows, hidden)) for part in numbers] for turn in (0, 1)]
    by_h = view("by_h", (plan.rows, hidden))
    replay = parts.step.replay
    assert replay is not None
    kept_rows = arrays.count if keep else plan.rows
    binder.memory("step", replay, kept_rows, slice(0, plan.rows))  # the largest one
    steps: list[GenericStep] = []
    for s, t in enumerate(reversed(range(plan.time)) if reverse else range(plan.time)):
        rows, w = slice(ends[t], ends[t + 1]), plan.widths[t]
        if befores is not None:
            before = [part[rows] for part in befores]
        else:
            before = [part[:w] for part in (steps[-1].after if steps else arrays.initial)]
        given, back = ([part[:w] for part in turns[(s + turn) % 2]] for turn in (1, 0))
        step = GenericStep(
            t=t,
            width=w,
            live=plan.live[t],
            rows=rows,
            x=arrays.x[rows],
            y=arrays.y[rows],
            before=before,
            after=[part[rows] for part in arrays.after],
            masked=None if masks is None else masks[rows],
            given=given,
            back=back,
            dx=None if arrays.dx is None else arrays.dx[rows],
            dy=None if arrays.dy is None else arrays.dy[rows],
            by_output=[None if each is None else each[rows] for each in arrays.by_output],
            ends=binder.ends(rows) if stepwise else Ends(),
            mask=view("mask", (plan.rows, hidden))[:w] if masked else None,
        )
        # without a backward pass all steps share what it would read
        memory = binder.memory("step", replay, kept_rows, rows if keep else slice(0, w))
        _bind_step(binder, step, memory, by_h[:w])
        steps.append(step)
    return steps


def _bind_step(binder: Binder, step: GenericStep, memory: Memory, other: Array) -> None:
    """The calls of a step. `other` (w, H) takes dL/dh where dL/d(state[0]) has another way too."""
    arrays, part, xp = binder.arrays, binder.parts.step, binder.xp
    replay, number, w = part.replay, part.number, step.width
    assert replay is not None
    states = [str(each) for each in range(len(step.after))]
    given = {number("u"): arrays.u[step.rows]}
    given[number("h")] = step.before[0] if step.masked is None else step.masked
    given |= {number(key): array for key, array in zip(states, step.before, strict=True)}
    given |= {each.index: array for each, array in zip(replay.outputs, step.after, strict=True)}
    step.forward, bound = replay.bind_forward(w, given, memory)
    if not binder.keep:
        return
    gradients = {each.index: array for each, array in zip(replay.outputs, step.given, strict=True)}
    gradients |= {number(key): array for key, array in zip(states, step.back, strict=True)}
    gradients[number("u")] = arrays.du[step.rows]
    finish: Calls = []
    by_h, by_state = part.reaches("h"), part.reaches("0")
    if by_state or step.masked is not None:
        gradients[number("h")] = other
    else:
        gradients[number("h")] = step.back[0]
    if not by_state and not (by_h and step.masked is None):
        finish.append((xp.copyto, (step.back[0], 0.0)))
    if by_h and (by_state or step.masked is not None):
        finish.append((_add_by_h, (xp, step, other)))
    finish += [
        (xp.copyto, (array, 0.0))
        for key, array in list(zip(states, step.back, strict=True))[1:]
        if not part.reaches(key)
    ]
    if not part.reaches("u") and not binder.parts.output.reaches("u"):
        finish.append((xp.copyto, (arrays.du[step.rows], 0.0)))
    step.backward = replay.bind_backward(w, bound, gradients, memory) + finish


def _add_by_h(xp: Namespace, step: GenericStep, by_h: Array) -> None:
    if step.masked is not None:
        xp.multiply(by_h, step.mask, out=by_h)
    xp.add(step.back[0], by_h, out=step.back[0])
