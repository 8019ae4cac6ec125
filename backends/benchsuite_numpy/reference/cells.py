"""One step of a cell, forwards and backwards, and the formulas of rnn, lstm and gru. Row vectors; B rows, I
inputs, H hidden units."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

CellState = tuple[np.ndarray, ...]
"""The parts of a state, each (B, H): (h,) or, for the LSTM, (h, c)."""
Weights = Mapping[str, np.ndarray]
"""A layer's parameters by their last name: Wx, Wh, b or bx, bh."""
Residuals = tuple[Any, ...]
"""What a step's backward pass needs of its forward pass."""


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)), to the last digits for every a: exp(-|a|) does not overflow and nothing cancels."""
    e = np.exp(-np.abs(a))
    found: np.ndarray = np.where(a >= 0, 1, e) / (1 + e)
    return found


@dataclass(frozen=True)
class StepGradients:
    """What comes back through one step.

    dx       dL/dx (B, I)
    before   dL/d(the state before the step)
    weights  the weights' gradients
    hidden   dL/dh (B, H), h the first part of the state after the step: by the output and by later steps
    """

    dx: np.ndarray
    before: CellState
    weights: dict[str, np.ndarray]
    hidden: np.ndarray


class Cell(abc.ABC):
    """A recurrent cell: a function of (x, state) and its derivative."""

    initial: tuple[float, ...]
    """The value of each part of the state before the first step."""

    @abc.abstractmethod
    def forward(
        self, w: Weights, x: np.ndarray, state: CellState, begins: np.ndarray, mask: np.ndarray | None
    ) -> tuple[CellState, np.ndarray, Residuals]:
        """The next state, the output (B, H), and what backward() needs.

        x       (B, I)
        begins  (B, 1): one where `state` is the initial one, else zero
        mask    (B, H): multiplies h where the step's products read it (recurrent dropout), or None
        """

    @abc.abstractmethod
    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState, d_output: np.ndarray
    ) -> StepGradients:
        """From dL/d(next state) by later steps, and dL/d(output)."""


class BuiltInCell(Cell):
    """A cell with formulas of its own below, whose output is its h."""

    def forward(
        self,
        w: Weights,
        x: np.ndarray,
        state: CellState,
        begins: np.ndarray,  # noqa: ARG002
        mask: np.ndarray | None,
    ) -> tuple[CellState, np.ndarray, Residuals]:
        assert mask is None  # with a mask the generic form runs
        new, kept = self.step(w, x, state)
        return new, new[0], kept

    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState, d_output: np.ndarray
    ) -> StepGradients:
        dh = d_state[0] + d_output
        dx, before, weights = self.step_back(w, kept, (dh, *d_state[1:]))
        return StepGradients(dx, before, weights, dh)

    @abc.abstractmethod
    def step(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        """The next state, and what step_back() needs. x (B, I)."""

    @abc.abstractmethod
    def step_back(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        """dL/dx (B, I), dL/d(previous state) and the weights' gradients, from dL/d(next state)."""


class Rnn(BuiltInCell):
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""

    initial = (0.0,)

    def step(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        (h,) = state
        new = np.tanh(x @ w["Wx"] + h @ w["Wh"] + w["b"])
        return (new,), (x, h, new)

    def step_back(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        x, h, new = kept
        da = d_state[0] * (1 - new**2)
        return da @ w["Wx"].T, (da @ w["Wh"].T,), {"Wx": x.T @ da, "Wh": h.T @ da, "b": da.sum(0)}


class Lstm(BuiltInCell):
    """c' = sig(f) c + sig(i) tanh(g), h' = sig(o) tanh(c') (Gers et al. 2000); gates i, f, g, o."""

    initial = (0.0, 0.0)

    def step(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        h, c = state
        ai, af, ag, ao = np.split(x @ w["Wx"] + h @ w["Wh"] + w["b"], 4, axis=1)
        i, f, g, o = sigmoid(ai), sigmoid(af), np.tanh(ag), sigmoid(ao)
        new_c = f * c + i * g
        tanh_c = np.tanh(new_c)
        return (o * tanh_c, new_c), (x, h, c, i, f, g, o, tanh_c)

    def step_back(
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


class Gru(BuiltInCell):
    """h' = (1 - z) n + z h (Cho et al. 2014), reset after the product; gates r, z, n."""

    initial = (0.0,)

    def step(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        (h,) = state
        xr, xz, xn = np.split(x @ w["Wx"] + w["bx"], 3, axis=1)
        hr, hz, hn = np.split(h @ w["Wh"] + w["bh"], 3, axis=1)
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        n = np.tanh(xn + r * hn)
        return ((1 - z) * n + z * h,), (x, h, r, z, n, hn)

    def step_back(
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
