"""A recurrent layer as a lax.scan, and what stands around it: the last state, class scores."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks.shapes import Shape

Weights = dict[str, jax.Array]
State = tuple[jax.Array, ...]


def scan_parameters(shape: Shape) -> Weights:
    """The canonical ones, without the layer's prefix."""
    given = shape.parameters()
    return {name.removeprefix("rnn.l0.fwd."): jnp.array(array) for name, array in given.items()}


def rnn_cell(weights: Weights, state: State, entering: jax.Array) -> State:
    return (jnp.tanh(entering + state[0] @ weights["Wh"]),)


def lstm_cell(weights: Weights, state: State, entering: jax.Array) -> State:
    h, c = state
    i, f, g, o = jnp.split(entering + h @ weights["Wh"], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru_cell(weights: Weights, state: State, entering: jax.Array) -> State:
    (h,) = state
    xr, xz, xn = jnp.split(entering, 3, axis=-1)
    hr, hz, hn = jnp.split(h @ weights["Wh"] + weights["bh"], 3, axis=-1)
    r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
    n = jnp.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,)


CELLS: dict[str, Callable[[Weights, State, jax.Array], State]] = {
    "rnn": rnn_cell,
    "lstm": lstm_cell,
    "gru": gru_cell,
}


def apply_scan(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    *,
    cell: str,
    ragged: bool,
    hoisted: bool,
    unroll: int,
) -> jax.Array:
    """Class scores (B, 10) of (T, B, D). `hoisted`: the inputs' product is made ahead of the scan, in one."""

    def entering(x: jax.Array) -> jax.Array:
        return x @ weights["Wx"] + weights["bx" if cell == "gru" else "b"]

    def step(state: State, at: tuple[jax.Array, jax.Array]) -> tuple[State, None]:
        x, time = at
        after = CELLS[cell](weights, state, x if hoisted else entering(x))
        if ragged:
            live = (time < lengths)[:, None]
            after = tuple(jnp.where(live, new, old) for new, old in zip(after, state, strict=True))
        return after, None

    steps, rows, _ = inputs.shape
    zeros = jnp.zeros((rows, weights["Wh"].shape[0]), inputs.dtype)
    start = (zeros, zeros) if cell == "lstm" else (zeros,)
    sequence = entering(inputs) if hoisted else inputs
    state, _ = jax.lax.scan(step, start, (sequence, jnp.arange(steps)), unroll=unroll)
    return state[0] @ weights["out.W"] + weights["out.b"]
