"""A cell over time in one direction, with its hand-written way back (backpropagation through time).

Beyond its length a row's state is frozen and its output is zero. The backward direction walks the steps in
reverse, so that a row's state stays at its initial value until the row's own last step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchsuite_jax.cells import Cell, Residuals, State, Step, Weights
from benchsuite_jax.feed import valid_steps
from benchsuite_jax.loops import ScanConfig

ROWS_BY_STEP = 64
"""Rows B from which the weights' gradients are added up step by step. A product over that many rows runs at
full speed, and what it reads is in the cache: with 128 rows of 128 units over 100 steps a training step takes
10 % less time so. With fewer rows one product over all steps is the faster one, by 5 to 25 % at 32 rows."""


class LayerInputs(NamedTuple):
    """What a layer reads.

    x        (T, B, I)
    initial  the state before the first step
    lengths  (B,), None where every row is T long
    probe    (T, B, H), zeros to add to each emitted h_t: their gradient is dL/dh_t, the total derivative at
             fixed c_t, and zero where a row is frozen; None where nobody asks
    """

    x: jax.Array
    initial: State
    lengths: jax.Array | None
    probe: jax.Array | None = None


class Passed(NamedTuple):
    """What the way back reads: `states` after each step, and what the cell kept, (T, B, ...)."""

    w: Weights
    entering: LayerInputs
    states: State
    kept: Residuals


Ran = tuple[jax.Array | None, State]
"""Outputs (T, B, H), or None if not asked for, and the final state."""
Back = tuple[State, dict[str, jax.Array] | None]
"""Carried on the way back: the state's gradient, and the weights' so far, None where they wait for the end."""


def run_layer(cell: Cell, w: Weights, entering: LayerInputs, walk: ScanConfig) -> Ran:
    """Run `cell` over the steps. Gradients reach weights, inputs, initial state and probe."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(w: Weights, entering: LayerInputs) -> Ran:
        def step(state: State, at: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array | None]:
            x, t = at
            state = _frozen(_live(entering, t), cell.advance(w, x, state), state)
            return state, state[0] if walk.emit else None

        final, states = walk.run(step, entering.initial, (entering.x, _times(entering)))
        return _outputs(entering, states) if walk.emit else None, final

    def forward(w: Weights, entering: LayerInputs) -> tuple[Ran, Passed]:
        def step(state: State, at: tuple[jax.Array, jax.Array]) -> tuple[State, tuple[State, Residuals]]:
            x, t = at
            new, kept = cell.forward(w, x, state)
            new = _frozen(_live(entering, t), new, state)
            return new, (new, kept)

        final, (states, kept) = walk.run(step, entering.initial, (entering.x, _times(entering)))
        outputs = _outputs(entering, states[0]) if walk.emit else None
        return (outputs, final), Passed(w, entering, states, kept)

    def backward(passed: Passed, d_ran: Ran) -> tuple[Weights, LayerInputs]:
        return _way_back(cell, walk, passed, d_ran)

    run.defvjp(forward, backward)
    ran: Ran = run(w, entering)
    return ran


def _way_back(cell: Cell, walk: ScanConfig, passed: Passed, d_ran: Ran) -> tuple[Weights, LayerInputs]:
    w, entering, states, kept = passed
    d_outputs, d_final = d_ran
    cut = walk.truncation if walk.truncation and walk.truncation < len(entering.x) else None
    before = tuple(_before(part, first, walk) for part, first in zip(states, entering.initial, strict=True))
    by_step = entering.x.shape[1] >= ROWS_BY_STEP

    def step(carry: Back, at: tuple[Any, ...]) -> tuple[Back, tuple[Any, jax.Array | None]]:
        d_state, sums = carry
        past, x, d_output, t = at
        live = _live(entering, t)
        dh = d_state[0] if d_output is None else d_state[0] + d_output
        # of a frozen row nothing enters the cell, so that its gates' gradients come out as zeros
        d_after = _frozen(live, (dh, *d_state[1:]), (0,) * len(d_state))
        d_gates, d_before = cell.backward(w, past, d_after)
        if cut is not None:
            boundary = (t > 0) & (t % cut == 0)
            d_before = tuple(jnp.where(boundary, 0, part) for part in d_before)
        tapped = None if entering.probe is None else d_after[0]
        d_before = _frozen(live, d_before, d_state)
        if sums is None:
            return (d_before, None), (d_gates, tapped)
        share = cell.collect(x, past.before[0], d_gates)
        sums = {name: total + share[name] for name, total in sums.items()}
        return (d_before, sums), (cell.d_inputs(w, d_gates), tapped)

    steps = (Step(before, states, kept), entering.x, d_outputs, _times(entering))
    zeros = {name: jnp.zeros_like(array) for name, array in w.items()} if by_step else None
    unroll = 1 if by_step else cell.unroll_back
    (d_initial, d_w), (back, d_probe) = walk.run(step, (d_final, zeros), steps, back=True, unroll=unroll)
    if d_w is None:
        d_w, back = cell.collect(entering.x, before[0], back), cell.d_inputs(w, back)
    return d_w, LayerInputs(back, d_initial, None, d_probe)


def _times(entering: LayerInputs) -> jax.Array:
    return jnp.arange(len(entering.x), dtype=jnp.int32)


def _live(entering: LayerInputs, t: jax.Array) -> jax.Array | None:
    """(B, 1), false where a row is frozen at step t; None where none ever is."""
    return None if entering.lengths is None else (t < entering.lengths)[:, None]


def _frozen(live: jax.Array | None, new: State, old: tuple[Any, ...]) -> State:
    if live is None:
        return new
    return tuple(jnp.where(live, a, b) for a, b in zip(new, old, strict=True))


def _outputs(entering: LayerInputs, states: jax.Array) -> jax.Array:
    valid = valid_steps(len(states), entering.lengths)
    return states if valid is None else jnp.where(valid[..., None], states, 0)


def _before(states: jax.Array, first: jax.Array, walk: ScanConfig) -> jax.Array:
    """What entered each step, from what left it."""
    if walk.reverse:
        return jnp.concatenate([states[1:], first[None]])
    return jnp.concatenate([first[None], states[:-1]])
