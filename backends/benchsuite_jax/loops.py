"""A cell over time: as one `lax.scan`, or written out step by step in the graph.

Beyond its length a row's state is frozen and its output is zero. The backward direction walks the steps in
reverse, so that a row's state stays at its initial value until the row's own last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from benchsuite_jax.cells import Cell, State, Weights

ENCODER, DECODER = "recurrence", "writing"
"""Name scopes of the loops: what the compiled program's own metadata is searched for."""


@dataclass(frozen=True)
class Walk:
    """How a layer is walked.

    static      write the steps out in the graph instead of scanning
    reverse     from the last step to the first
    truncation  detach the state that enters step t = k, 2k, ... of rows live at t; None: full BPTT
    emit        whether the outputs are asked for
    scope       the loop's name in the compiled program
    """

    static: bool
    reverse: bool
    truncation: int | None
    emit: bool
    scope: str = ENCODER


def run_layer(
    cell: Cell,
    w: Weights,
    x: jax.Array,
    initial: State,
    lengths: jax.Array | None,
    probe: jax.Array | None,
    walk: Walk,
) -> tuple[jax.Array | None, State]:
    """Run `cell` over x (T, B, I): outputs (T, B, H), or None if not asked for, and the final state.

    lengths (B,), None where every row is T long. probe (T, B, H) is added to each emitted h_t: its gradient
    at zero is dL/dh_t, the total derivative at fixed c_t, and zero where a row is frozen.
    """
    time = x.shape[0]
    cut = walk.truncation if walk.truncation and walk.truncation < time else None

    def step(state: State, at: dict[str, Any]) -> tuple[State, jax.Array | None]:
        live = None if lengths is None else (at["t"] < lengths)[:, None]
        entering = state if cut is None else _detach(state, _boundary(at["t"], cut, live))
        new = cell.advance(w, at["x"], entering)
        if probe is not None:
            new = (new[0] + at["probe"], *new[1:])
        if live is None:
            return new, new[0] if walk.emit else None
        output = jnp.where(live, new[0], 0) if walk.emit else None
        return tuple(jnp.where(live, a, b) for a, b in zip(new, state, strict=True)), output

    steps: dict[str, Any] = {"x": x}
    if probe is not None:
        steps["probe"] = probe
    if lengths is not None or cut is not None:
        steps["t"] = jnp.arange(time, dtype=jnp.int32)
    with jax.named_scope(walk.scope):
        if not walk.static:
            final, outputs = jax.lax.scan(step, initial, steps, reverse=walk.reverse)
            return outputs, final
        state, emitted = initial, []
        for t in reversed(range(time)) if walk.reverse else range(time):
            state, output = step(state, {name: value[t] for name, value in steps.items()})
            emitted.append(output)
        if walk.reverse:
            emitted.reverse()
        return jnp.stack(emitted) if walk.emit else None, state


def _boundary(t: jax.Array, every: int, live: jax.Array | None) -> jax.Array:
    """Where the entering state is detached: a scalar, or (B, 1) where rows end at different steps."""
    at = (t > 0) & (t % every == 0)
    return at if live is None else at & live


def _detach(state: State, where: jax.Array) -> State:
    return tuple(jnp.where(where, jax.lax.stop_gradient(part), part) for part in state)
