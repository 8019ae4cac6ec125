"""The recurrent cells as pure functions: weights, input of one step, state -> next state.

Weights hold `Wx` (I, G*H), `Wh` (H, G*H) and the biases, in the layout of benchsuite.spec.parameters. A state
is a tuple of (B, H) arrays whose first part is the emitted h: (h,) or, for the LSTM, (h, c).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

Weights = Mapping[str, jax.Array]
State = tuple[jax.Array, ...]


@dataclass(frozen=True)
class Cell:
    """A cell: how many (B, H) arrays its state has, and its step."""

    parts: int
    advance: Callable[[Weights, jax.Array, State], State]


def input_product(x: jax.Array, Wx: jax.Array) -> jax.Array:
    """x (B, I) @ Wx (I, N). With one feature it is an outer product, which fuses as a broadcast, while XLA's
    matrix product over an inner dimension of one is bound by memory."""
    return x * Wx[0] if Wx.shape[0] == 1 else x @ Wx


def rnn(w: Weights, x: jax.Array, state: State) -> State:
    """h' = tanh(x Wx + h Wh + b)  (Elman 1990)."""
    (h,) = state
    return (jnp.tanh(input_product(x, w["Wx"]) + h @ w["Wh"] + w["b"]),)


def lstm(w: Weights, x: jax.Array, state: State) -> State:
    """c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c'); gates i, f, g, o  (Gers et al. 2000)."""
    h, c = state
    i, f, g, o = jnp.split(input_product(x, w["Wx"]) + h @ w["Wh"] + w["b"], 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(w: Weights, x: jax.Array, state: State) -> State:
    """n = tanh(n_x + r n_h); h' = (1 - z) n + z h; gates r, z, n, reset after (Cho et al. 2014)."""
    (h,) = state
    r_x, z_x, n_x = jnp.split(input_product(x, w["Wx"]) + w["bx"], 3, axis=1)
    r_h, z_h, n_h = jnp.split(h @ w["Wh"] + w["bh"], 3, axis=1)
    r, z = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(z_x + z_h)
    n = jnp.tanh(n_x + r * n_h)
    return ((1 - z) * n + z * h,)


CELLS: dict[str, Cell] = {"rnn": Cell(1, rnn), "lstm": Cell(2, lstm), "gru": Cell(1, gru)}


def zero_state(cell: str, rows: int, hidden: int, dtype: jnp.dtype) -> State:
    """The initial state of a fresh sequence."""
    return tuple(jnp.zeros((rows, hidden), dtype) for _ in range(CELLS[cell].parts))
