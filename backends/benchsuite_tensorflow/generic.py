"""A layer of a plugin's cell, from the one form in which the cell is written (benchsuite.schema.cells).

What does not depend on the state is computed of all steps at once, before and after the loop. TensorFlow
differentiates the loop.

Time-major: T steps, B rows, I inputs, H hidden units. A backward direction comes here as a forward one, over
rows reversed within their lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from benchsuite.errors import ContractError
from benchsuite.schema.cells import AffineCell, Cell, cell_named, naming_cell, step_kernel
from benchsuite_tensorflow.cells import State, Tensor
from benchsuite_tensorflow.loops import Loop
from benchsuite_tensorflow.operations import OPERATIONS

Weights = Mapping[str, Tensor]
"""A layer's weights by their last name."""


def weights_of(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """One layer's weights by their last name."""
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}


@dataclass(frozen=True)
class CellCode:
    """The code of the cell called `name`, with TensorFlow's operations. N rows.

    Each method raises ContractError, naming the cell, where its code fails or gives what it must not.
    """

    name: str
    hidden: int

    @property
    def cell(self) -> Cell:
        return cell_named(self.name)

    @property
    def parts(self) -> int:
        return len(self.cell.state)

    @property
    def own_output(self) -> bool:
        """Whether a layer gives something else than the hidden state."""
        return type(self.cell).output is not Cell.output

    def start(self, rows: int | Tensor, dtype: str | tf.DType) -> State:
        """The state before the first step."""
        return tuple(
            tf.fill([rows, self.hidden], tf.constant(part.initial, dtype)) for part in self.cell.state
        )

    def inputs(self, w: Weights, x: Tensor, begins: Tensor) -> Tensor:
        """(N, U) from x (N, I) and begins (N, 1)."""
        with naming_cell(self.name, "inputs()"):
            u = self.cell.inputs(OPERATIONS, w, x, begins)
            return _checked((u,), x.dtype)[0]

    def step(self, w: Weights, u: Tensor, h: Tensor, state: State) -> State:
        """The state after a step."""
        with naming_cell(self.name, "step()"):
            kernel = step_kernel(self.name, "tensorflow")
            after = self.cell.step(OPERATIONS, w, u, h, state) if kernel is None else kernel(w, u, h, state)
            return self._parts(after, u.dtype)

    def output(self, w: Weights, u: Tensor, state: State) -> Tensor:
        """y (N, H), from the state after the step."""
        with naming_cell(self.name, "output()"):
            y = self.cell.output(OPERATIONS, w, u, state)
            return _checked((y,), u.dtype, self.hidden)[0]

    def elements(self, w: Weights, u: Tensor) -> tuple[State, State]:
        """a and b of an affine cell."""
        with naming_cell(self.name, "elements()"):
            if not isinstance(self.cell, AffineCell):
                raise ContractError("it has no affine step, so it cannot run as a scan")
            a, b = self.cell.elements(OPERATIONS, w, u)
            return self._parts(a, u.dtype), self._parts(b, u.dtype)

    def _parts(self, found: State, dtype: tf.DType) -> State:
        if len(found) != self.parts:
            raise ContractError(f"gave {len(found)} parts, must give {self.parts}")
        return _checked(found, dtype, self.hidden)


def _checked(found: State, dtype: tf.DType, columns: int | None = None) -> State:
    """`found` as it is. Raises ContractError unless each has two axes, the second of `columns` or any size."""
    for part in found:
        if part.shape.rank != 2 or columns not in (None, part.shape[1]):
            wanted = f"(rows, {'any' if columns is None else columns})"
            raise ContractError(f"gave the shape {tuple(part.shape)}, must be {wanted}")
        if part.dtype != dtype:
            raise ContractError(f"gave {part.dtype.name}, must stay in {dtype.name}")
    return tuple(found)


@dataclass(frozen=True)
class LayerSteps:
    """What a layer reads beside its input and weights.

    initial   the state before the first step
    begins    whether that is the cell's own initial state (a state that was passed in and a decoder's are not)
    valid     (T, B), True on valid steps; None where every step may run
    attached  (T, B or 1, 1), False where the state that enters the step is detached; None for nowhere
    probe     (T, B, H) of any values: added to the hidden state after each step, so that its gradient is the
              total dL/dh_t
    resets    (T, B), True where the state is set to its initial values before the step; None for nowhere
    mask      (B, H), a factor of the hidden state where the step's products read it; None for 1
    """

    initial: State
    begins: bool
    valid: Tensor | None = None
    attached: Tensor | None = None
    probe: Tensor | None = None
    resets: Tensor | None = None
    mask: Tensor | None = None


OverTime = Callable[[CellCode, Weights, Tensor, LayerSteps], tuple[State, State]]
"""(cell, weights, u (T, B, U), steps) -> the state after each step, every part (T, B, H), of any value on
padding (the hidden state alone where the cell's output is that), and the state after each row's last step."""


@dataclass(frozen=True)
class GenericLayer:
    """One direction of one layer of `cell`. over_time: how the steps are run."""

    cell: CellCode
    over_time: OverTime

    def __call__(self, x: Tensor, weights: Weights, steps: LayerSteps) -> tuple[Tensor, State]:
        """Outputs y (T, B, H) of x (T, B, I), of any value on padding; the final state."""
        rows = x.shape[1]
        if steps.valid is not None:  # what stands in padding may be as large as it likes
            x = tf.where(steps.valid[..., None], x, tf.zeros_like(x))
        u = self.cell.inputs(weights, _flat(x), self._begins(x, steps))
        states, final = self.over_time(self.cell, weights, tf.reshape(u, [-1, rows, u.shape[-1]]), steps)
        y = states[0]
        if self.cell.own_output:
            y = tf.reshape(self.cell.output(weights, u, tuple(map(_flat, states))), [-1, rows, y.shape[-1]])
        return y, final

    def _begins(self, x: Tensor, steps: LayerSteps) -> Tensor:
        """(T B, 1): one where a step starts from the cell's initial values, else zero."""
        shape = [tf.shape(x)[0], x.shape[1]]
        begins = tf.zeros(shape, tf.bool)
        if steps.begins:
            begins = tf.broadcast_to(tf.range(shape[0])[:, None] == 0, shape)
        if steps.resets is not None:
            begins |= steps.resets
        return tf.reshape(tf.cast(begins, x.dtype), [-1, 1])


@dataclass(frozen=True)
class Stepwise:
    """OverTime by a loop, one step after the other."""

    loop: Loop

    def __call__(self, cell: CellCode, weights: Weights, u: Tensor, steps: LayerSteps) -> tuple[State, State]:
        emitted = cell.parts if cell.own_output else 1
        by_step = {
            "valid": steps.valid,
            "attached": steps.attached,
            "resets": steps.resets,
            "probe": steps.probe,
        }
        present = {name: part for name, part in by_step.items() if part is not None}

        def body(carry: list[Tensor], given: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            now = dict(zip(present, given[1:], strict=True))
            state = self._step(cell, weights, given[0], tuple(carry), now, steps.mask)
            return list(state), list(state[:emitted])

        read = [self.loop.unpack(part) for part in (u, *present.values())]
        emits = [[u.shape[1], cell.hidden]] * emitted
        final, found = self.loop.run(body, list(steps.initial), read, emits, backwards=False)
        return tuple(self.loop.pack(part) for part in found), tuple(final)

    @staticmethod
    def _step(
        cell: CellCode, weights: Weights, u: Tensor, before: State, now: Weights, mask: Tensor | None
    ) -> State:
        """The state after a step, from that before it and from what LayerSteps says of the step."""
        entering = before
        if (
            "attached" in now
        ):  # by selection: the initial value may be infinite, and 0 times that is no number
            attached = now["attached"]
            entering = tuple(tf.where(attached, part, tf.stop_gradient(part)) for part in entering)
        if "resets" in now:
            fresh = cell.start(u.shape[0], u.dtype)
            entering = _rows_of(now["resets"], fresh, entering)
        h = entering[0] if mask is None else entering[0] * mask
        after = cell.step(weights, u, h, entering)
        if "probe" in now:
            after = (after[0] + now["probe"], *after[1:])
        if "valid" in now:
            after = _rows_of(now["valid"], after, before)
        return after


def _flat(x: Tensor) -> Tensor:
    """(T, B, ...) as (T B, ...)."""
    return tf.reshape(x, [-1, x.shape[-1]])


def _rows_of(condition: Tensor, x: State, y: State) -> State:
    """Row by row x where the condition (B,) holds, else y. Not by tf.where: the derivative of a selection that
    broadcasts is some ten operations at every step, that of one by rows two."""
    return tuple(tf.raw_ops.Select(condition=condition, x=a, y=b) for a, b in zip(x, y, strict=True))
