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
