"""A recurrent layer as a loop over its time steps, the inputs' product taken out of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


class LoopLayer(nn.Module):  # type: ignore[misc]
    """Parameters of nn.RNN, nn.LSTM or nn.GRU; (T, B, D) -> outputs (T, B, H), last state (1, B, H)."""

    def __init__(self, cell: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.cell, self.hidden, rows = cell, hidden, GATES[cell] * hidden
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, inputs))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, hidden))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        steps = getattr(self, f"_{self.cell}")
        outputs = steps(inputs, inputs.new_zeros(inputs.shape[1], self.hidden))
        return torch.stack(outputs), outputs[-1][None]

    def _rnn(self, inputs: Tensor, h: Tensor) -> list[Tensor]:
        outputs, weight = [], self.weight_hh_l0.t()
        entering = functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        for x in entering.unbind(0):
            h = torch.tanh(torch.addmm(x, h, weight))
            outputs.append(h)
        return outputs

    def _lstm(self, inputs: Tensor, h: Tensor) -> list[Tensor]:
        outputs, weight, c = [], self.weight_hh_l0.t(), h
        entering = functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        for x in entering.unbind(0):
            i, f, g, o = torch.addmm(x, h, weight).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return outputs

    def _gru(self, inputs: Tensor, h: Tensor) -> list[Tensor]:
        outputs, weight = [], self.weight_hh_l0.t()
        entering = functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0)
        for x in entering.unbind(0):
            xr, xz, xn = x.chunk(3, 1)
            hr, hz, hn = torch.addmm(self.bias_hh_l0, h, weight).chunk(3, 1)
            r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
            n = torch.tanh(xn + r * hn)
            h = n + z * (h - n)
            outputs.append(h)
        return outputs
