"""A cell over time, in one direction, and the stack of layers.

A row's state is frozen and its output is zero from its length on. The backward direction goes through the
steps in reverse, so that a row's state stays at its initial value until the row's own last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.schema import Recurrent
from benchsuite_numpy.reference.cells import CELLS, Cell, CellState, Residuals, Weights


@dataclass(frozen=True)
class LayerRun:
    """One direction of one layer, after its forward pass: outputs (B, T, H), final state, kept steps."""

    outputs: np.ndarray
    final: CellState
    kept: list[Residuals]


def layer_weights(parameters: Mapping[str, np.ndarray], prefix: str) -> Weights:
    """The parameters below `prefix`, by their last name."""
    start = len(prefix) + 1
    return {name[start:]: value for name, value in parameters.items() if name.startswith(f"{prefix}.")}


def layer_forward(
    cell: Cell, w: Weights, x: np.ndarray, mask: np.ndarray, initial: CellState, reverse: bool
) -> LayerRun:
    """Run `cell` over x (B, T, I). mask (B, T) is true on valid steps."""
    time = x.shape[1]
    state = initial
    outputs = np.zeros((*x.shape[:2], initial[0].shape[1]), x.dtype)
    kept: list[Residuals] = [()] * time
    for t in reversed(range(time)) if reverse else range(time):
        live = mask[:, t, None]
        new, kept[t] = cell.forward(w, x[:, t], state)
        state = tuple(np.where(live, a, b) for a, b in zip(new, state, strict=True))
        outputs[:, t] = np.where(live, state[0], 0)
    return LayerRun(outputs, state, kept)


def layer_backward(
    cell: Cell,
    w: Weights,
    run: LayerRun,
    mask: np.ndarray,
    d_outputs: np.ndarray,
    reverse: bool,
    truncation: int | None,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """From dL/d(outputs) (B, T, H): dL/dx (B, T, I), dL/dh_t (B, T, H) and the weights' gradients.

    With truncation k the state that enters step t = k, 2k, ... is detached, for the rows live at t only:
    a frozen row's state passes through those steps untouched, and so does its gradient.
    """
    time = d_outputs.shape[1]
    dx = np.zeros((*d_outputs.shape[:2], w["Wx"].shape[0]), d_outputs.dtype)
    dh_t = np.zeros_like(d_outputs)
    gradients = {name: np.zeros_like(value) for name, value in w.items()}
    d_state: CellState = tuple(np.zeros_like(part) for part in run.final)
    for t in range(time) if reverse else reversed(range(time)):
        live = mask[:, t, None]
        d_state = (d_state[0] + np.where(live, d_outputs[:, t], 0), *d_state[1:])
        dh_t[:, t] = np.where(live, d_state[0], 0)
        through = tuple(np.where(live, part, 0) for part in d_state)
        dx[:, t], before, step_gradients = cell.backward(w, run.kept[t], through)
        for name, value in step_gradients.items():
            gradients[name] += value
        if truncation and t and t % truncation == 0:
            before = tuple(np.zeros_like(part) for part in before)
        d_state = tuple(np.where(live, a, b) for a, b in zip(before, d_state, strict=True))
    return dx, dh_t, gradients


def zero_state(cell: str, rows: int, hidden: int, dtype: np.dtype) -> CellState:
    """The state that a sequence starts from."""
    return tuple(np.zeros((rows, hidden), dtype) for _ in range(CELLS[cell].parts))


def stack_forward(
    body: Recurrent,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    mask: np.ndarray,
    initial: Mapping[str, CellState],
) -> tuple[np.ndarray, dict[str, LayerRun]]:
    """All layers: the top outputs (B, T, F) and each run by prefix (`rnn.l0.fwd`).

    `initial` holds states by prefix; what it lacks starts at zero.
    """
    cell = CELLS[body.cell]
    zero = zero_state(body.cell, len(x), body.hidden, x.dtype)
    runs: dict[str, LayerRun] = {}
    for layer in range(body.layers):
        outputs = []
        for direction in body.directions:
            prefix = f"rnn.l{layer}.{direction}"
            w = layer_weights(parameters, prefix)
            runs[prefix] = layer_forward(cell, w, x, mask, initial.get(prefix, zero), direction == "bwd")
            outputs.append(runs[prefix].outputs)
        x = np.concatenate(outputs, axis=2)
    return x, runs


def stack_backward(
    body: Recurrent,
    parameters: Mapping[str, np.ndarray],
    runs: Mapping[str, LayerRun],
    mask: np.ndarray,
    d_outputs: np.ndarray,
    truncation: int | None,
) -> tuple[np.ndarray, dict[str, np.ndarray], Parameters]:
    """From dL/d(top outputs): dL/dx of the bottom, dL/dh_t by prefix, gradients by canonical name."""
    cell = CELLS[body.cell]
    states: dict[str, np.ndarray] = {}
    gradients: Parameters = {}
    for layer in reversed(range(body.layers)):
        parts = np.split(d_outputs, len(body.directions), axis=2)
        d_inputs = []
        for direction, part in zip(body.directions, parts, strict=True):
            prefix = f"rnn.l{layer}.{direction}"
            w = layer_weights(parameters, prefix)
            dx, states[prefix], found = layer_backward(
                cell, w, runs[prefix], mask, part, direction == "bwd", truncation
            )
            gradients |= {f"{prefix}.{name}": value for name, value in found.items()}
            d_inputs.append(dx)
        d_outputs = np.sum(d_inputs, axis=0)
    return d_outputs, states, gradients
