"""A layer of a plugin's cell as a loop over steps, differentiated by jax.

T steps, B rows, I inputs, H hidden units, U numbers that the cell's inputs() gives of a step. A cell is written
for rows alone: what it computes of several steps at once gets (T * B, ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.errors import ContractError
from benchsuite.schema import cell_named
from benchsuite.schema.cells import AffineCell, Cell, naming_cell, step_kernel
from benchsuite_jax.cells import State, Weights
from benchsuite_jax.loops import LayerRan, ScanConfig
from benchsuite_jax.operations import JAX_OPERATIONS
from benchsuite_jax.placement import valid_steps


class CellInputs(NamedTuple):
    """What a layer of a plugin's cell reads.

    x               (T, B, I)
    initial         the state before the first step
    fresh           (), 1 where that is the cell's initial state and 0 where it was passed in
    lengths         (B,), None where every row is T long
    resets          (T, B), true where the state is set to its initial values before the step; None where it
                    never is
    probe           (T, B, H), zeros to add to the state's first part after each step: their gradient is
                    dL/dh_t, and zero where a row is frozen; None where nobody asks
    recurrent_mask  (B, H), what the first part is multiplied with where the step's products read it; None: 1
    """

    x: jax.Array
    initial: State
    fresh: jax.Array | float
    lengths: jax.Array | None = None
    resets: jax.Array | None = None
    probe: jax.Array | None = None
    recurrent_mask: jax.Array | None = None

    @property
    def valid(self) -> jax.Array | None:
        """(T, B, 1), true on real steps; None where there is no padding."""
        valid = valid_steps(len(self.x), self.lengths)
        return None if valid is None else valid[..., None]

    @property
    def restarts(self) -> jax.Array | None:
        """(T, B, 1), true where a row starts again, read forwards; None where none does."""
        return None if self.resets is None else self.resets[..., None]

    def begins(self, reverse: bool) -> jax.Array:
        """(T, B, 1), one where the state before the step is the initial one, else zero. Backwards that holds on
        the padding too."""
        time, rows = self.x.shape[:2]
        t = jnp.arange(time)[:, None]
        end = time if self.lengths is None else self.lengths
        first = t >= end - 1 if reverse else t == 0
        found = jnp.broadcast_to(first, (time, rows))[..., None] * jnp.asarray(self.fresh, self.x.dtype)
        return found if self.restarts is None else jnp.where(self.restarts, jnp.ones_like(found), found)


class Step(NamedTuple):
    """What a step reads of the arrays by time in CellInputs: (B, ...), and its number t, ()."""

    x: jax.Array
    t: jax.Array
    begins: jax.Array
    valid: jax.Array | None
    restart: jax.Array | None
    probe: jax.Array | None


@dataclass(frozen=True)
class NamedCell:
    """A plugin's cell. Its results are checked; an error that its code raises names it (ContractError)."""

    name: str

    @property
    def cell(self) -> Cell:
        return cell_named(self.name)

    def initial_state(self, rows: int, hidden: int, dtype: jnp.dtype) -> State:
        """The state before the first step of a sequence."""
        return tuple(jnp.full((rows, hidden), part.initial, dtype) for part in self.cell.state)

    def inputs(self, w: Weights, x: jax.Array, begins: jax.Array) -> jax.Array:
        """u (..., U) of x (..., I) and begins (..., 1)."""
        with naming_cell(self.name, "inputs()"):
            u: jax.Array = self.cell.inputs(JAX_OPERATIONS, w, _rows(x), _rows(begins))
            return u.reshape(*x.shape[:-1], -1)

    def step(self, w: Weights, u: jax.Array, state: State, recurrent_mask: jax.Array | None = None) -> State:
        """The state after a step."""
        h = state[0] if recurrent_mask is None else state[0] * recurrent_mask
        with naming_cell(self.name, "step()"):
            kernel = step_kernel(self.name, "jax")
            after = (
                self.cell.step(JAX_OPERATIONS, w, u, h, state) if kernel is None else kernel(w, u, h, state)
            )
            return self._checked(after, h.shape, h.dtype)

    def elements(self, w: Weights, u: jax.Array, hidden: int) -> tuple[State, State]:
        """a and b of an affine cell, parts (T, B, H), of all steps u (T, B, U)."""
        assert isinstance(self.cell, AffineCell), "refused by contracts.scan_problem"
        shape = (*u.shape[:-1], hidden)
        with naming_cell(self.name, "elements()"):
            a, b = (
                self._checked(parts, (u.shape[0] * u.shape[1], hidden), u.dtype)
                for parts in self.cell.elements(JAX_OPERATIONS, w, _rows(u))
            )
        return tuple(part.reshape(shape) for part in a), tuple(part.reshape(shape) for part in b)

    def output(self, w: Weights, u: jax.Array, state: State) -> jax.Array:
        """y (..., H) after steps that read u (..., U) and left `state`, parts (..., H)."""
        if not self.has_output:
            return state[0]
        with naming_cell(self.name, "output()"):
            rows = tuple(map(_rows, state))
            y = self.cell.output(JAX_OPERATIONS, w, _rows(u), rows)
            (y,) = self._checked((y,), rows[0].shape, rows[0].dtype, 1)
        return y.reshape(state[0].shape)

    @property
    def has_output(self) -> bool:
        """Whether its output is something else than the first part of its state."""
        return type(self.cell).output is not Cell.output

    def advance(
        self,
        w: Weights,
        x: jax.Array,
        state: State,
        probe: jax.Array | None,
        recurrent_mask: jax.Array | None = None,
    ) -> tuple[State, jax.Array]:
        """One step of rows x (B, I) that did not begin with it: the state, and the output y (B, H)."""
        u = self.inputs(w, x, jnp.zeros_like(x[:, :1]))
        state = probed(self.step(w, u, state, recurrent_mask), probe)
        return state, self.output(w, u, state)

    def _checked(
        self, parts: object, shape: tuple[int, ...], dtype: jnp.dtype, count: int | None = None
    ) -> State:
        """`parts`, if they are as many as the state's, of this shape and dtype."""
        wanted = len(self.cell.state) if count is None else count
        if not isinstance(parts, tuple | list) or len(parts) != wanted:
            given = f"{len(parts)} parts" if isinstance(parts, tuple | list) else type(parts).__name__
            raise ContractError(f"gave {given}, must be a tuple of {wanted}")
        for part in parts:
            if jnp.shape(part) != shape or jnp.result_type(part) != dtype:
                raise ContractError(
                    f"gave {jnp.result_type(part)} {jnp.shape(part)}, must be {dtype} {shape}"
                )
        return tuple(parts)


def run_layer(cell: NamedCell, w: Weights, given: CellInputs, config: ScanConfig) -> LayerRan:
    """Run a plugin's cell over the steps, one after the other.

    Between the passes only the states are stored. What does not depend on the state is computed step by step
    too, and the backward pass computes a step's products again. Of all steps at once these are large arrays,
    written and read back: at 32 rows, 128 steps and 128 units an LSTM's training step takes half the time
    without the first of them, and at 128 rows two thirds of that without the others. For small steps neither
    matters.
    """
    time, rows = given.x.shape[:2]
    start = cell.initial_state(rows, given.initial[0].shape[-1], given.x.dtype)
    cut = config.truncation if config.truncation and config.truncation < time else None

    def step(before: State, at: Step) -> tuple[State, jax.Array | None]:
        state = before if at.restart is None else where(at.restart, start, before)
        if cut is not None:
            boundary = (at.t > 0) & (at.t % cut == 0)
            state = where(boundary, tuple(map(jax.lax.stop_gradient, state)), state)
        u = cell.inputs(w, at.x, at.begins)
        new = probed(cell.step(w, u, state, given.recurrent_mask), at.probe)
        if at.valid is None:
            return new, cell.output(w, u, new) if config.emit else None
        # on padding output() reads what a step leaves, never an initial state, which it might divide by
        y = jnp.where(at.valid, cell.output(w, u, new), 0) if config.emit else None
        return where(at.valid, new, before), y

    t = jnp.arange(time, dtype=jnp.int32)
    steps = Step(given.x, t, given.begins(config.reverse), given.valid, given.restarts, given.probe)
    # in a loop nothing can be shared between the passes: there is no sharing to prevent
    final, outputs = config.run(jax.checkpoint(step, prevent_cse=False), given.initial, steps)
    return LayerRan(outputs, last_output(cell, w, given, final, config.reverse), final)


def last_output(cell: NamedCell, w: Weights, given: CellInputs, final: State, reverse: bool) -> jax.Array:
    """(B, H), the output at the last step that the direction reads of each row, which left `final`."""
    if not cell.has_output:
        return final[0]
    x, begins = given.x, given.begins(reverse)
    if reverse or given.lengths is None:
        t = 0 if reverse else -1
        return cell.output(w, cell.inputs(w, x[t], begins[t]), final)
    at = (given.lengths - 1)[None, :, None]
    x, begins = (jnp.take_along_axis(array, at, axis=0)[0] for array in (x, begins))
    return cell.output(w, cell.inputs(w, x, begins), final)


def probed(state: State, probe: jax.Array | None) -> State:
    """A state with `probe` added to its first part."""
    return state if probe is None else (state[0] + probe, *state[1:])


def where(condition: jax.Array, new: State, old: State) -> State:
    """A state's parts from `new` where the condition holds, else from `old`."""
    return tuple(jnp.where(condition, a, b) for a, b in zip(new, old, strict=True))


def _rows(array: jax.Array) -> jax.Array:
    """(..., N) as (rows, N)."""
    return array.reshape(-1, array.shape[-1])
