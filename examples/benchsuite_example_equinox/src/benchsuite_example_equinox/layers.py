"""A recurrent layer over time: ragged rows, truncation, a state to begin with, and a handle on every h_t."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp

from benchsuite_example_equinox.cells import Cell, State

Loop = Literal["scan", "unrolled"]


def run_layer(
    cell: Cell,
    x: jax.Array,
    lengths: jax.Array,
    state: State,
    *,
    loop: Loop,
    backwards: bool = False,
    truncation: int | None = None,
    added: jax.Array | None = None,
) -> tuple[jax.Array, State]:
    """Run a cell over time.

    Beyond a row's length the state is frozen and the output zero. A backward layer reads from each row's last
    valid step to its first.

    :param x: (T, B, I). :param lengths: (B,). :param state: where each row's recurrence begins.
    :param truncation: k; the state that enters step t = k, 2 k, ... is detached. t is the index into x in both
        directions.
    :param added: (T, B, H), added to every h_t when it is emitted. The derivative of a loss by these zeros is
        dL/dh_t.
    :returns: outputs (T, B, H), and the state after each row's last step.
    """
    steps = jnp.arange(x.shape[0])[:, None]
    inside = (steps < lengths)[:, :, None]
    cut = None if truncation is None else (steps > 0) & (steps % truncation == 0)

    def step(state: State, now: tuple[jax.Array, ...]) -> tuple[State, jax.Array]:
        u, valid, detached, extra = now
        if detached is not None:
            state = tuple(jnp.where(detached, jax.lax.stop_gradient(part), part) for part in state)
        hidden, *others = cell.step(u, state)
        if extra is not None:
            hidden = hidden + extra
        after = tuple(jnp.where(valid, new, old) for new, old in zip((hidden, *others), state, strict=True))
        return after, jnp.where(valid, hidden, 0)

    over = (cell.inputs(x), inside, cut, added)
    if loop == "scan":
        after, outputs = jax.lax.scan(step, state, over, reverse=backwards)
        return outputs, after
    order = range(x.shape[0])
    emitted: dict[int, jax.Array] = {}
    for t in reversed(order) if backwards else order:
        state, emitted[t] = step(state, tuple(None if part is None else part[t] for part in over))
    return jnp.stack([emitted[t] for t in order]), state
