"""One step of each cell. Rows x (B, I), state (h,) or (h, c) of (B, H), weights by their last name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as np

Array = Any
"""An array, or what autograd traces in its place."""
State = tuple[Array, ...]
Step = Callable[[Mapping[str, Array], Array, State], State]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without an overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def rnn(w: Mapping[str, Array], x: Array, state: State) -> State:
    """h' = tanh(x Wx + h Wh + b)."""
    (h,) = state
    return (np.tanh(x @ w["Wx"] + h @ w["Wh"] + w["b"]),)


def lstm(w: Mapping[str, Array], x: Array, state: State) -> State:
    """Gates i, f, g, o: c' = sig(f) c + sig(i) tanh(g), h' = sig(o) tanh(c')."""
    h, c = state
    i, f, g, o = np.split(x @ w["Wx"] + h @ w["Wh"] + w["b"], 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(w: Mapping[str, Array], x: Array, state: State) -> State:
    """Gates r, z, n, reset after the product: h' = (1 - z) n + z h."""
    (h,) = state
    xr, xz, xn = np.split(x @ w["Wx"] + w["bx"], 3, axis=1)
    hr, hz, hn = np.split(h @ w["Wh"] + w["bh"], 3, axis=1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,)


STEPS: dict[str, Step] = {"rnn": rnn, "lstm": lstm, "gru": gru}
PARTS = {"rnn": 1, "lstm": 2, "gru": 1}
"""How many parts a cell's state has."""
