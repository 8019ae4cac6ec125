"""As PyTorch's users write it: a module of torch.nn, packed sequences, a loop over cells, torch.compile."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from benchmarks.contestants import Contestant, Peers
from benchmarks.peers.torch_loop import LoopLayer
from benchmarks.shapes import CLASSES, Shape
from benchmarks.unsupported import Unsupported

LAYERS: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
LONGEST_COMPILED = 40
"""Steps of a loop that torch.compile writes out: 28 of them take it more than a minute."""


class Classifier(nn.Module):  # type: ignore[misc]
    """A recurrent layer, its last valid state, class scores. `layer` has the parameters of nn.RNNBase."""

    def __init__(self, shape: Shape, layer: nn.Module) -> None:
        super().__init__()
        self.rnn = layer
        self.out = nn.Linear(shape.hidden, CLASSES)
        self._ragged = shape.ragged
        self._load(shape)

    def _load(self, shape: Shape) -> None:
        """torch's second bias, which the model's rnn and lstm lack, starts at zero and is trained, too."""
        given = {name: torch.from_numpy(array) for name, array in shape.parameters().items()}
        first, second = ("bx", "bh") if shape.cell == "gru" else ("b", None)
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(given["rnn.l0.fwd.Wx"].T)
            self.rnn.weight_hh_l0.copy_(given["rnn.l0.fwd.Wh"].T)
            self.rnn.bias_ih_l0.copy_(given[f"rnn.l0.fwd.{first}"])
            if second:
                self.rnn.bias_hh_l0.copy_(given[f"rnn.l0.fwd.{second}"])
            else:
                self.rnn.bias_hh_l0.zero_()
            self.out.weight.copy_(given["out.W"].T)
            self.out.bias.copy_(given["out.b"])

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        outputs, last = self.rnn(inputs)
        if self._ragged:
            return self.out(outputs[lengths - 1, torch.arange(len(lengths))])
        return self.out(last[0][-1] if isinstance(last, tuple) else last[-1])


class Packed(Classifier):
    """The layer's own way with lengths."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(inputs, lengths, enforce_sorted=False)
        _, last = self.rnn(packed)
        return self.out(last[0][-1] if isinstance(last, tuple) else last[-1])


class Torch(Contestant):
    """Zero, forward, backward, Adam. Faster, by a little, than the other way: fused Adam, inputs (T, B, D)."""

    notes = "fused Adam"

    def __init__(self, shape: Shape, model: nn.Module, forward: Callable[..., Tensor] | None = None) -> None:
        batch = shape.data()
        self._forward = model if forward is None else forward
        self._inputs = torch.from_numpy(batch.inputs).transpose(0, 1).contiguous()
        self._lengths = torch.from_numpy(batch.lengths).long()
        self._labels = torch.from_numpy(batch.targets).long()
        self._optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        self._loss = torch.tensor(float("nan"))

    def step(self) -> None:
        self._optimiser.zero_grad()
        loss = functional.cross_entropy(self._forward(self._inputs, self._lengths), self._labels)
        loss.backward()
        self._optimiser.step()
        self._loss = loss.detach()

    def loss(self) -> float:
        return float(self._loss)

    def predict(self) -> None:
        with torch.inference_mode():
            self._forward(self._inputs, self._lengths).numpy()


def layer(shape: Shape) -> Contestant:
    return Torch(shape, Classifier(shape, LAYERS[shape.cell](shape.inputs, shape.hidden)))


def packed(shape: Shape) -> Contestant:
    if not shape.ragged:
        raise Unsupported("nothing to pack: all sequences are of one length")
    return Torch(shape, Packed(shape, LAYERS[shape.cell](shape.inputs, shape.hidden)))


def loop(shape: Shape) -> Contestant:
    return Torch(shape, Classifier(shape, LoopLayer(shape.cell, shape.inputs, shape.hidden)))


def compiled(shape: Shape) -> Contestant:
    """The loop, compiled as a whole: torch.compile passes nn.LSTM and its kin by."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        raise Unsupported("torch.compile needs a C++ compiler")
    if shape.time > LONGEST_COMPILED:
        raise Unsupported(f"torch.compile takes too long to write out {shape.time} steps")
    model = Classifier(shape, LoopLayer(shape.cell, shape.inputs, shape.hidden))
    return Torch(shape, model, torch.compile(model))


PEERS: Peers = {"nn": layer, "packed": packed, "loop": loop, "compile": compiled}
