"""The recurrent layers' parameters, held by torch.nn's own module, whichever way they are then run.

torch and cuDNN give rnn and lstm two biases per gate. The canonical form has one, so `bias_ih` is it and
`bias_hh` stays zero, frozen and outside optimiser and norm: were both trained, the effective bias would move
twice as fast. The GRU's two biases are both canonical.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from benchsuite.schema import Recurrent
from benchsuite_torch.weights import AS_IS, TRANSPOSED, Slot, Slots

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
OPERATORS = {"rnn": torch.rnn_tanh, "lstm": torch.lstm, "gru": torch.gru}

State = tuple[torch.Tensor, ...]
"""(h,) or, for lstm, (h, c); each (layers * directions, B, H), layer by layer, forward before backward."""


@dataclass(frozen=True)
class Direction:
    """One layer in one direction, in torch's layout: w_ih (G*H, I), w_hh (G*H, H), b_ih and b_hh (G*H)."""

    prefix: str
    reverse: bool
    w_ih: torch.Tensor
    w_hh: torch.Tensor
    b_ih: torch.Tensor
    b_hh: torch.Tensor

    @property
    def flat(self) -> list[torch.Tensor]:
        return [self.w_ih, self.w_hh, self.b_ih, self.b_hh]


class RecurrentStack:
    """`body` over inputs of width `inputs`: one torch.nn module and a view of it by layer and direction. Its
    parameters' names begin with `prefix`: `rnn`, or `dec` for a decoder."""

    def __init__(
        self, body: Recurrent, inputs: int, device: torch.device, dtype: torch.dtype, prefix: str = "rnn"
    ) -> None:
        self.body, self.prefix = body, prefix
        self.module = MODULES[body.cell](
            inputs,
            body.hidden,
            body.layers,
            bidirectional=body.bidirectional,
            device=device,
            dtype=dtype,
        )
        self.layers = [
            [self._direction(layer, way) for way in body.directions] for layer in range(body.layers)
        ]
        self.operator = OPERATORS[body.cell]
        if body.cell != "gru":
            for layer in self.layers:
                for direction in layer:
                    direction.b_hh.requires_grad_(False).zero_()

    def _direction(self, layer: int, way: str) -> Direction:
        suffix = f"l{layer}" + ("_reverse" if way == "bwd" else "")
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        tensors = [getattr(self.module, f"{kind}_{suffix}") for kind in kinds]
        return Direction(f"{self.prefix}.l{layer}.{way}", way == "bwd", *tensors)

    @property
    def flat(self) -> list[torch.Tensor]:
        """Every tensor in the order torch's operators take; on a GPU views of one cuDNN buffer."""
        return [tensor for layer in self.layers for direction in layer for tensor in direction.flat]

    def slots(self) -> Slots:
        found: Slots = {}
        for layer in self.layers:
            for one in layer:
                found[f"{one.prefix}.Wx"] = Slot(one.w_ih, TRANSPOSED)
                found[f"{one.prefix}.Wh"] = Slot(one.w_hh, TRANSPOSED)
                if self.body.cell == "gru":
                    found[f"{one.prefix}.bx"] = Slot(one.b_ih, AS_IS[1])
                    found[f"{one.prefix}.bh"] = Slot(one.b_hh, AS_IS[1])
                else:
                    found[f"{one.prefix}.b"] = Slot(one.b_ih, AS_IS[1])
        return found

    def zero_state(self, batch: int) -> State:
        """The state before the first step."""
        body, like = self.body, self.layers[0][0].w_hh
        shape = (body.layers * len(body.directions), batch, body.hidden)
        return tuple(like.new_zeros(shape) for _ in range(2 if body.cell == "lstm" else 1))
