"""torch's own recurrent cells: the operators behind torch.nn.RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchsuite_torch.layers import Direction, LayerStates

Operator = Callable[..., torch.Tensor | tuple[torch.Tensor, torch.Tensor]]

OPERATORS: dict[str, Operator] = {
    "rnn": torch.rnn_tanh_cell,
    "lstm": torch.lstm_cell,
    "gru": torch.gru_cell,
}


def cell_step(cell: str, x: torch.Tensor, state: LayerStates, layer: Direction) -> LayerStates:
    """The state after x (B, I): (h,) or, of an lstm, (h, c), each (B, H); `state` is the one before."""
    after = OPERATORS[cell](x, state if len(state) > 1 else state[0], *layer.flat)
    return after if isinstance(after, tuple) else (after,)


Advance = Callable[[torch.Tensor, LayerStates, torch.Tensor | None], tuple[LayerStates, torch.Tensor]]
"""One step of a layer: from x (B, I), the state, and what is added to its first part after the step, the new
state and the output (B, H)."""


def cell_advance(
    cell: str, layer: Direction, x: torch.Tensor, state: LayerStates, probe: torch.Tensor | None
) -> tuple[LayerStates, torch.Tensor]:
    """One step of torch's own cell."""
    h, *rest = cell_step(cell, x, state, layer)
    if probe is not None:
        h = h + probe
    return (h, *rest), h
