"""A cell over time, in one direction, and the stack of layers.

A row's state is frozen and its output is zero from its length on. The backward direction goes through the
steps in reverse, so that a row's state keeps its initial values until the row's own last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.schema import Recurrent
from benchsuite_numpy.reference.cells import Cell, CellState, Residuals, Weights
from benchsuite_numpy.reference.generic import reference_cell


@dataclass(frozen=True)
class Steps:
    """Which of a batch's steps are what, (B, T) bool.

    valid   not padding
    resets  valid, and the state is set to its initial values before the step
    """

    valid: np.ndarray
    resets: np.ndarray

    @classmethod
    def of(cls, valid: np.ndarray, resets: np.ndarray | None) -> Steps:
        """`resets` (B, T) may be true on padding, where it means nothing; None: there are none."""
        return cls(valid, np.zeros_like(valid) if resets is None else resets & valid)

    def begins(self, reverse: bool, fresh: bool) -> np.ndarray:
        """(B, T): where the state before the step is the initial one; `fresh`: none was passed in."""
        found = self.resets.copy()
        if reverse:
            after = np.zeros_like(self.valid)
            after[:, :-1] = self.valid[:, 1:]
            found |= self.valid & ~after
        elif fresh:
            found[:, 0] = True
        return found


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


def initial_state(cell: Cell, rows: int, hidden: int, dtype: np.dtype) -> CellState:
    """The state that a sequence starts from."""
    return tuple(np.full((rows, hidden), value, dtype) for value in cell.initial)


def layer_forward(
    cell: Cell,
    w: Weights,
    x: np.ndarray,
    steps: Steps,
    passed: CellState | None,
    hidden: int,
    reverse: bool,
    mask: np.ndarray | None = None,
) -> LayerRun:
    """Run `cell` over x (B, T, I).

    passed  the state before the first step, or None for the initial one
    mask    (B, H): multiplies h where a step's products read it, or None
    """
    rows, time = x.shape[:2]
    initial = initial_state(cell, rows, hidden, x.dtype)
    begins = steps.begins(reverse, fresh=passed is None).astype(x.dtype)
    state = initial if passed is None else passed
    outputs = np.zeros((rows, time, hidden), x.dtype)
    kept: list[Residuals] = [()] * time
    for t in reversed(range(time)) if reverse else range(time):
        live = steps.valid[:, t, None]
        state = _chosen(steps.resets[:, t, None], initial, state)
        new, output, kept[t] = cell.forward(w, x[:, t], state, begins[:, t, None], mask)
        state = _chosen(live, new, state)
        outputs[:, t] = np.where(live, output, 0)
    return LayerRun(outputs, state, kept)


def layer_backward(
    cell: Cell,
    w: Weights,
    run: LayerRun,
    steps: Steps,
    d_outputs: np.ndarray,
    inputs: int,
    reverse: bool,
    truncation: int | None,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """From dL/d(outputs) (B, T, H): dL/dx (B, T, `inputs`), dL/dh_t (B, T, H) and the weights' gradients.

    With truncation k the state that enters step t = k, 2k, ... is detached, for the rows live at t only:
    a frozen row's state passes through those steps untouched, and so does its gradient.
    """
    rows, time = d_outputs.shape[:2]
    dx = np.zeros((rows, time, inputs), d_outputs.dtype)
    dh_t = np.zeros_like(d_outputs)
    gradients = {name: np.zeros_like(value) for name, value in w.items()}
    zeros: CellState = tuple(np.zeros_like(part) for part in run.final)
    d_state = zeros
    for t in range(time) if reverse else reversed(range(time)):
        live = steps.valid[:, t, None]
        through = _chosen(live, d_state, zeros)
        found = cell.backward(w, run.kept[t], through, np.where(live, d_outputs[:, t], 0))
        dx[:, t], dh_t[:, t] = found.dx, found.hidden
        for name, value in found.weights.items():
            gradients[name] += value
        before = _chosen(steps.resets[:, t, None], zeros, found.before)
        if truncation and t and t % truncation == 0:
            before = zeros
        d_state = _chosen(live, before, d_state)
    return dx, dh_t, gradients


def dropped(x: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """x (B, T, I) times mask (B, I) at every step; its own derivative too."""
    return x if mask is None else x * mask[:, None, :]


def _chosen(rows: np.ndarray, a: CellState, b: CellState) -> CellState:
    """The state `a` in the rows (B, 1) that are true, `b` in the others."""
    return tuple(np.where(rows, left, right) for left, right in zip(a, b, strict=True))


def stack_forward(
    body: Recurrent,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    steps: Steps,
    passed: Mapping[str, CellState],
    masks: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, dict[str, LayerRun]]:
    """All layers: the top outputs (B, T, F) and each run by prefix (`rnn.l0.fwd`).

    passed  states by prefix; a layer that it lacks starts at the cell's initial values
    masks   of dropout by name, as schema.mask_widths() has them: of what a layer reads (`rnn.l0.x`) and of
            h_{t-1} in its products (`rnn.l0.fwd.h`)
    """
    runs: dict[str, LayerRun] = {}
    for layer in range(body.layers):
        x, outputs = dropped(x, masks.get(f"rnn.l{layer}.x")), []
        for direction in body.directions:
            prefix = f"rnn.l{layer}.{direction}"
            w, mask = layer_weights(parameters, prefix), masks.get(f"{prefix}.h")
            cell, state = reference_cell(body.cell, mask is not None), passed.get(prefix)
            runs[prefix] = layer_forward(cell, w, x, steps, state, body.hidden, direction == "bwd", mask)
            outputs.append(runs[prefix].outputs)
        x = np.concatenate(outputs, axis=2)
    return x, runs


def stack_backward(
    body: Recurrent,
    parameters: Mapping[str, np.ndarray],
    runs: Mapping[str, LayerRun],
    steps: Steps,
    inputs: int,
    d_outputs: np.ndarray,
    truncation: int | None,
    masks: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, dict[str, np.ndarray], Parameters]:
    """From dL/d(top outputs): dL/dx of the bottom (B, T, `inputs`), dL/dh_t by prefix, gradients by canonical
    name."""
    states: dict[str, np.ndarray] = {}
    gradients: Parameters = {}
    for layer in reversed(range(body.layers)):
        parts = np.split(d_outputs, len(body.directions), axis=2)
        width, d_inputs = body.output_size if layer else inputs, []
        for direction, part in zip(body.directions, parts, strict=True):
            prefix = f"rnn.l{layer}.{direction}"
            w = layer_weights(parameters, prefix)
            cell = reference_cell(body.cell, f"{prefix}.h" in masks)
            dx, states[prefix], found = layer_backward(
                cell, w, runs[prefix], steps, part, width, direction == "bwd", truncation
            )
            gradients |= {f"{prefix}.{name}": value for name, value in found.items()}
            d_inputs.append(dx)
        d_outputs = dropped(np.sum(d_inputs, axis=0), masks.get(f"rnn.l{layer}.x"))
    return d_outputs, states, gradients
