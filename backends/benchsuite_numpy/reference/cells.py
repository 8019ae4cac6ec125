"""One step of each cell, forwards and backwards. Row vectors; B rows, I inputs, H hidden units."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import numpy as np

CellState = tuple[np.ndarray, ...]
"""(h,) or, for the LSTM, (h, c); each (B, H)."""
Weights = Mapping[str, np.ndarray]
"""A layer's parameters by their last name: Wx, Wh, b or bx, bh."""
Residuals = tuple[np.ndarray, ...]
"""What a step's backward pass needs of its forward pass."""


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)), to the last digits for every a: exp(-|a|) does not overflow and nothing cancels."""
    e = np.exp(-np.abs(a))
    found: np.ndarray = np.where(a >= 0, 1, e) / (1 + e)
    return found


class Cell(abc.ABC):
    """A recurrent cell: a function of (x, state) and its derivative."""

    parts: int
    """Arrays in the state."""

    @abc.abstractmethod
    def forward(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        """The next state, and what backward() needs. x (B, I)."""

    @abc.abstractmethod
    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        """dL/dx (B, I), dL/d(previous state) and the weights' gradients, from dL/d(next state)."""


class Rnn(Cell):
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""

    parts = 1

    def forward(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        (h,) = state
        new = np.tanh(x @ w["Wx"] + h @ w["Wh"] + w["b"])
        return (new,), (x, h, new)

    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        x, h, new = kept
        da = d_state[0] * (1 - new**2)
        return da @ w["Wx"].T, (da @ w["Wh"].T,), {"Wx": x.T @ da, "Wh": h.T @ da, "b": da.sum(0)}


class Lstm(Cell):
    """c' = sig(f) c + sig(i) tanh(g), h' = sig(o) tanh(c') (Gers et al. 2000); gates i, f, g, o."""

    parts = 2

    def forward(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        h, c = state
        ai, af, ag, ao = np.split(x @ w["Wx"] + h @ w["Wh"] + w["b"], 4, axis=1)
        i, f, g, o = sigmoid(ai), sigmoid(af), np.tanh(ag), sigmoid(ao)
        new_c = f * c + i * g
        tanh_c = np.tanh(new_c)
        return (o * tanh_c, new_c), (x, h, c, i, f, g, o, tanh_c)

    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        x, h, c, i, f, g, o, tanh_c = kept
        dh, dc = d_state
        dc = dc + dh * o * (1 - tanh_c**2)
        dai = dc * g * i * (1 - i)
        daf = dc * c * f * (1 - f)
        dag = dc * i * (1 - g**2)
        dao = dh * tanh_c * o * (1 - o)
        da = np.concatenate([dai, daf, dag, dao], axis=1)
        gradients = {"Wx": x.T @ da, "Wh": h.T @ da, "b": da.sum(0)}
        return da @ w["Wx"].T, (da @ w["Wh"].T, dc * f), gradients


class Gru(Cell):
    """h' = (1 - z) n + z h (Cho et al. 2014), reset after the product; gates r, z, n."""

    parts = 1

    def forward(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        (h,) = state
        xr, xz, xn = np.split(x @ w["Wx"] + w["bx"], 3, axis=1)
        hr, hz, hn = np.split(h @ w["Wh"] + w["bh"], 3, axis=1)
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        n = np.tanh(xn + r * hn)
        return ((1 - z) * n + z * h,), (x, h, r, z, n, hn)

    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        x, h, r, z, n, hn = kept
        (dh,) = d_state
        dan = dh * (1 - z) * (1 - n**2)
        dar = dan * hn * r * (1 - r)
        daz = dh * (h - n) * z * (1 - z)
        dax = np.concatenate([dar, daz, dan], axis=1)
        dah = np.concatenate([dar, daz, dan * r], axis=1)
        gradients = {"Wx": x.T @ dax, "Wh": h.T @ dah, "bx": dax.sum(0), "bh": dah.sum(0)}
        return dax @ w["Wx"].T, (dh * z + dah @ w["Wh"].T,), gradients


CELLS: dict[str, Cell] = {"rnn": Rnn(), "lstm": Lstm(), "gru": Gru()}
