"""Recurrent cells as Equinox modules, on row vectors: y = x @ W.

A cell has two parts. `inputs` runs of all steps at once, on (T, B, I); `step` runs one step after the other, on
the (B, ...) that `inputs` gave and on a state, a tuple of (B, H) arrays of which the first is the hidden state.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp

State: TypeAlias = tuple[jax.Array, ...]
Weights: TypeAlias = Mapping[str, jax.Array]

STATE_PARTS = {"rnn": ("h",), "lstm": ("h", "c"), "gru": ("h",)}


class Cell(eqx.Module):
    """A recurrent layer's weights, and what it computes with them."""

    @abc.abstractmethod
    def inputs(self, x: jax.Array) -> jax.Array:
        """What a step reads of its input: (T, B, I) to (T, B, U)."""

    @abc.abstractmethod
    def step(self, u: jax.Array, state: State) -> State:
        """The state after a step that reads `u` (B, U)."""


class Elman(Cell):
    """h' = tanh(x Wx + h Wh + b)."""

    Wx: jax.Array
    Wh: jax.Array
    b: jax.Array

    def inputs(self, x: jax.Array) -> jax.Array:
        return x @ self.Wx + self.b

    def step(self, u: jax.Array, state: State) -> State:
        return (jnp.tanh(u + state[0] @ self.Wh),)


class Lstm(Cell):
    """c' = sig(f) c + sig(i) tanh(g), h' = sig(o) tanh(c'); gates i, f, g, o."""

    Wx: jax.Array
    Wh: jax.Array
    b: jax.Array

    def inputs(self, x: jax.Array) -> jax.Array:
        return x @ self.Wx + self.b

    def step(self, u: jax.Array, state: State) -> State:
        h, c = state
        i, f, g, o = jnp.split(u + h @ self.Wh, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c


class Gru(Cell):
    """h' = (1 - z) n + z h, n = tanh(x Wn + bxn + r (h Rn + bhn)); gates r, z, n."""

    Wx: jax.Array
    Wh: jax.Array
    bx: jax.Array
    bh: jax.Array

    def inputs(self, x: jax.Array) -> jax.Array:
        return x @ self.Wx + self.bx

    def step(self, u: jax.Array, state: State) -> State:
        h = state[0]
        xr, xz, xn = jnp.split(u, 3, axis=1)
        hr, hz, hn = jnp.split(h @ self.Wh + self.bh, 3, axis=1)
        r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
        n = jnp.tanh(xn + r * hn)
        return (n + z * (h - n),)


class Library(Cell):
    """A cell of equinox.nn, which computes one row at a time. It has no part that runs of all steps at once."""

    cell: eqx.nn.LSTMCell | eqx.nn.GRUCell

    def inputs(self, x: jax.Array) -> jax.Array:
        return x

    def step(self, u: jax.Array, state: State) -> State:
        if isinstance(self.cell, eqx.nn.LSTMCell):
            h, c = jax.vmap(self.cell)(u, state)
            return h, c
        return (jax.vmap(self.cell)(u, state[0]),)


LIBRARY = ("lstm", "gru")
"""The cells that equinox.nn has."""


def own_cell(name: str, weights: Weights) -> Cell:
    """The cell of this package called `name`, with the canonical weights given."""
    kinds: dict[str, type[Cell]] = {"rnn": Elman, "lstm": Lstm, "gru": Gru}
    return kinds[name](**weights)


def library_cell(name: str, weights: Weights) -> Cell:
    """The cell of equinox.nn with the canonical weights given: its matrices are the transposes, and its GRU has
    the sum of two biases where they only occur as a sum. Gradients flow back to the canonical ones."""
    width, gates = weights["Wx"].shape
    hidden = weights["Wh"].shape[0]
    if name == "lstm":
        empty = eqx.filter_eval_shape(eqx.nn.LSTMCell, width, hidden, key=jax.random.key(0))
        three = (weights["Wx"].T, weights["Wh"].T, weights["b"])
        return Library(eqx.tree_at(lambda cell: (cell.weight_ih, cell.weight_hh, cell.bias), empty, three))
    empty = eqx.filter_eval_shape(eqx.nn.GRUCell, width, hidden, key=jax.random.key(0))
    both = jnp.where(jnp.arange(gates) < 2 * hidden, weights["bx"] + weights["bh"], weights["bx"])
    parts = (weights["Wx"].T, weights["Wh"].T, both, weights["bh"][2 * hidden :])
    return Library(
        eqx.tree_at(lambda cell: (cell.weight_ih, cell.weight_hh, cell.bias, cell.bias_n), empty, parts)
    )
