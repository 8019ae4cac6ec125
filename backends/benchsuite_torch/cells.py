"""One step of each cell, written by hand. Row vectors; B rows, H hidden units."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchsuite_torch.stack import State

Cell = Callable[[torch.Tensor, torch.Tensor, State], State]
"""(x_t W_ih + b_ih, h W_hh added to it or, for the gru, to b_hh; state) -> next state."""


def rnn_cell(_: torch.Tensor, sums: torch.Tensor, _state: State) -> State:
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""
    return (sums.tanh(),)


def lstm_cell(_: torch.Tensor, sums: torch.Tensor, state: State) -> State:
    """Gates i, f, g, o; c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c') (Gers et al. 2000)."""
    i, f, g, o = sums.chunk(4, 1)
    c = torch.addcmul(f.sigmoid() * state[1], i.sigmoid(), g.tanh())
    return o.sigmoid() * c.tanh(), c


def gru_cell(projected: torch.Tensor, recurrent: torch.Tensor, state: State) -> State:
    """Gates r, z, n; n = tanh(x_n + r * h_n); h' = n + z (h - n) (Cho et al. 2014, with reset after)."""
    (h,) = state
    parts = (2 * h.shape[1], h.shape[1])
    x_rz, x_n = projected.split(parts, 1)
    h_rz, h_n = recurrent.split(parts, 1)
    r, z = (x_rz + h_rz).sigmoid().chunk(2, 1)
    n = torch.addcmul(x_n, r, h_n).tanh()
    return (torch.addcmul(n, z, h - n),)


CELLS: dict[str, Cell] = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}
