"""A step of each cell, for a batch (B, D) or for one row (D,), all gates in one product: forward, backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]
State = tuple[np.ndarray, ...]


def sigmoid(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


def weight_gradient(x: np.ndarray, d: np.ndarray) -> np.ndarray:
    return np.outer(x, d) if x.ndim == 1 else x.T @ d


def bias_gradient(d: np.ndarray) -> np.ndarray:
    return d if d.ndim == 1 else d.sum(axis=0)


def rnn_forward(p: Arrays, x: np.ndarray, state: State) -> tuple[State, State]:
    (h,) = state
    after = np.tanh(x @ p["Wx"] + h @ p["Wh"] + p["b"])
    return (after,), (x, h, after)


def rnn_backward(p: Arrays, cache: State, d_state: State, gradients: Arrays) -> State:
    x, h, after = cache
    d = d_state[0] * (1 - after**2)
    _add(gradients, x, h, d)
    return (d @ p["Wh"].T,)


def lstm_forward(p: Arrays, x: np.ndarray, state: State) -> tuple[State, State]:
    h, c = state
    i, f, g, o = np.split(x @ p["Wx"] + h @ p["Wh"] + p["b"], 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    after = f * c + i * g
    squashed = np.tanh(after)
    return (o * squashed, after), (x, h, c, i, f, g, o, squashed)


def lstm_backward(p: Arrays, cache: State, d_state: State, gradients: Arrays) -> State:
    x, h, c, i, f, g, o, squashed = cache
    dh, dc = d_state
    dc = dc + dh * o * (1 - squashed**2)
    di, df, dg, do = dc * g, dc * c, dc * i, dh * squashed
    d = np.concatenate(
        [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)],
        axis=-1,
    )
    _add(gradients, x, h, d)
    return d @ p["Wh"].T, dc * f


def _add(gradients: Arrays, x: np.ndarray, h: np.ndarray, d: np.ndarray) -> None:
    gradients["Wx"] += weight_gradient(x, d)
    gradients["Wh"] += weight_gradient(h, d)
    gradients["b"] += bias_gradient(d)


def gru_forward(p: Arrays, x: np.ndarray, state: State) -> tuple[State, State]:
    (h,) = state
    xr, xz, xn = np.split(x @ p["Wx"] + p["bx"], 3, axis=-1)
    hr, hz, hn = np.split(h @ p["Wh"] + p["bh"], 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,), (x, h, r, z, n, hn)


def gru_backward(p: Arrays, cache: State, d_state: State, gradients: Arrays) -> State:
    x, h, r, z, n, hn = cache
    (dh,) = d_state
    dn = dh * (1 - z) * (1 - n**2)
    dz = dh * (h - n) * z * (1 - z)
    dr = dn * hn * r * (1 - r)
    d_inputs = np.concatenate([dr, dz, dn], axis=-1)
    d_hidden = np.concatenate([dr, dz, dn * r], axis=-1)
    gradients["Wx"] += weight_gradient(x, d_inputs)
    gradients["bx"] += bias_gradient(d_inputs)
    gradients["Wh"] += weight_gradient(h, d_hidden)
    gradients["bh"] += bias_gradient(d_hidden)
    return (dh * z + d_hidden @ p["Wh"].T,)


class Cell(NamedTuple):
    """forward: parameters, x, state -> state, cache. backward: parameters, cache, dL/d(state after), gradients
    to add to -> dL/d(state before). The state is (h,) or (h, c).
    parameters: the suite's -> those it reads."""

    states: int
    forward: Callable[[Arrays, np.ndarray, State], tuple[State, State]]
    backward: Callable[[Arrays, State, State, Arrays], State]
    parameters: Callable[[Arrays], Arrays] = dict


CELLS = {
    "rnn": Cell(1, rnn_forward, rnn_backward),
    "lstm": Cell(2, lstm_forward, lstm_backward),
    "gru": Cell(1, gru_forward, gru_backward),
}
