"""A cell over time in one direction, with a backward pass written by hand (backpropagation through time).

Beyond its length a row's state is frozen and its output is zero. The backward direction takes the steps in
reverse, so that a row's state stays at its initial value until the row's own last step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchsuite_jax.cells import CellKernel, Residuals, State, Step, Weights
from benchsuite_jax.loops import LayerRan, ScanConfig, longest
from benchsuite_jax.placement import valid_steps

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


class Saved(NamedTuple):
    """What the backward pass reads: `states` after each step, and the cell's residuals, (T, B, ...)."""

    w: Weights
    inputs: LayerInputs
    states: State
    residuals: Residuals


Results = tuple[jax.Array | None, State]
"""Outputs (T, B, H), or None if not asked for, and the final state."""
BackwardCarry = tuple[State, dict[str, jax.Array] | None]
"""The state's gradient, and the weights' gradients so far; None where they are made after the loop."""


def run_layer(cell: CellKernel, w: Weights, inputs: LayerInputs, config: ScanConfig) -> LayerRan:
    """Run `cell` over the steps. Gradients reach weights, inputs, initial state and probe."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(w: Weights, inputs: LayerInputs) -> Results:
        def step(state: State, at: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array | None]:
            x, t = at
            state = _where_live(_live(inputs, t), cell.advance(w, x, state), state)
            return state, state[0] if config.emit else None

        final, states = config.run(
            step, inputs.initial, (inputs.x, _times(inputs)), end=longest(inputs.lengths)
        )
        return _outputs(inputs, states) if config.emit else None, final

    def forward(w: Weights, inputs: LayerInputs) -> tuple[Results, Saved]:
        def step(state: State, at: tuple[jax.Array, jax.Array]) -> tuple[State, tuple[State, Residuals]]:
            x, t = at
            new, residuals = cell.forward(w, x, state)
            new = _where_live(_live(inputs, t), new, state)
            return new, (new, residuals)

        final, (states, residuals) = config.run(
            step, inputs.initial, (inputs.x, _times(inputs)), end=longest(inputs.lengths)
        )
        outputs = _outputs(inputs, states[0]) if config.emit else None
        return (outputs, final), Saved(w, inputs, states, residuals)

    def backward(saved: Saved, d_ran: Results) -> tuple[Weights, LayerInputs]:
        return _backward(cell, config, saved, d_ran)

    run.defvjp(forward, backward)
    outputs, final = run(w, inputs)
    return LayerRan(outputs, final[0], final)


def _backward(
    cell: CellKernel, config: ScanConfig, saved: Saved, d_ran: Results
) -> tuple[Weights, LayerInputs]:
    w, inputs, states, residuals = saved
    d_outputs, d_final = d_ran
    cut = config.truncation if config.truncation and config.truncation < len(inputs.x) else None
    before = tuple(
        _before(part, first, config, inputs.lengths)
        for part, first in zip(states, inputs.initial, strict=True)
    )
    by_step = inputs.x.shape[1] >= ROWS_BY_STEP

    def step(carry: BackwardCarry, at: tuple[Any, ...]) -> tuple[BackwardCarry, tuple[Any, jax.Array | None]]:
        d_state, sums = carry
        one, x, d_output, t = at
        live = _live(inputs, t)
        dh = d_state[0] if d_output is None else d_state[0] + d_output
        # of a frozen row nothing enters the cell, so that its gates' gradients come out as zeros
        d_after = _where_live(live, (dh, *d_state[1:]), (0,) * len(d_state))
        d_gates, d_before = cell.backward(w, one, d_after)
        if cut is not None:
            boundary = (t > 0) & (t % cut == 0)
            d_before = tuple(jnp.where(boundary, 0, part) for part in d_before)
        probed = None if inputs.probe is None else d_after[0]
        d_before = _where_live(live, d_before, d_state)
        if sums is None:
            return (d_before, None), (d_gates, probed)
        grads = cell.weight_grads(x, one.before[0], d_gates)
        sums = {name: total + grads[name] for name, total in sums.items()}
        return (d_before, sums), (cell.input_grad(w, d_gates), probed)

    steps = (Step(before, states, residuals), inputs.x, d_outputs, _times(inputs))
    zeros = {name: jnp.zeros_like(array) for name, array in w.items()} if by_step else None
    unroll = 1 if by_step else cell.backward_unroll
    (d_initial, d_w), (found, d_probe) = config.run(
        step, (d_final, zeros), steps, backward=True, unroll=unroll, end=longest(inputs.lengths)
    )
    if d_w is None:
        d_w, d_x = cell.weight_grads(inputs.x, before[0], found), cell.input_grad(w, found)
    else:
        d_x = found
    return d_w, LayerInputs(d_x, d_initial, None, d_probe)


def _times(inputs: LayerInputs) -> jax.Array:
    return jnp.arange(len(inputs.x), dtype=jnp.int32)


def _live(inputs: LayerInputs, t: jax.Array) -> jax.Array | None:
    """(B, 1), false where a row is frozen at step t; None where none ever is."""
    return None if inputs.lengths is None else (t < inputs.lengths)[:, None]


def _where_live(live: jax.Array | None, new: State, old: tuple[Any, ...]) -> State:
    if live is None:
        return new
    return tuple(jnp.where(live, a, b) for a, b in zip(new, old, strict=True))


def _outputs(inputs: LayerInputs, states: jax.Array) -> jax.Array:
    valid = valid_steps(len(states), inputs.lengths)
    return states if valid is None else jnp.where(valid[..., None], states, 0)


def _before(states: jax.Array, first: jax.Array, config: ScanConfig, lengths: jax.Array | None) -> jax.Array:
    """The states before the steps, (T, B, H), from those after them."""
    if not config.reverse:
        return jnp.concatenate([first[None], states[:-1]])
    end = None if config.static else longest(lengths)
    if end is not None:  # the loop begins there: no state is saved of later steps
        later = jnp.arange(len(states)) >= end
        states = jnp.where(later[:, None, None], first, states)
    return jnp.concatenate([states[1:], first[None]])
