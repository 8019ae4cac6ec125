"""Parameters under their canonical names, and the recurrent layers that hold most of them.

The recurrent parameters are those of one torch.nn module, whichever way its layers are then run. torch and
cuDNN give rnn and lstm two biases per gate. The canonical form has one, so `bias_ih` is it and `bias_hh`
stays zero, frozen and outside optimiser and norm: were both trained, the effective bias would move twice as
fast. The GRU's two biases are both canonical.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from benchsuite.contracts import Parameters
from benchsuite.schema import Recurrent
from benchsuite.schema.cells import Cell, cell_named

AS_IS: dict[int, tuple[int, ...]] = {1: (0,), 2: (0, 1)}
TRANSPOSED = (1, 0)
CONVOLUTION = (3, 2, 0, 1)  # (k, k, in, out) -> (out, in, k, k)


@dataclass(frozen=True)
class CanonicalTensor:
    """A trainable tensor; `axes` permutes the canonical array into the tensor's layout."""

    tensor: torch.Tensor
    axes: tuple[int, ...]

    def load(self, array: np.ndarray) -> None:
        with torch.no_grad():
            self.tensor.copy_(torch.from_numpy(np.ascontiguousarray(array.transpose(self.axes))))

    def canonical(self, values: torch.Tensor) -> np.ndarray:
        """A copy, in the canonical layout, of `values` in the tensor's layout."""
        return np.array(values.detach().cpu().numpy().transpose(np.argsort(self.axes)), order="C")


NamedTensors = dict[str, CanonicalTensor]


def allocate(shape: Iterable[int], device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """A trainable tensor, not yet filled."""
    return torch.empty(tuple(shape), device=device, dtype=dtype, requires_grad=True)


def read_parameters(tensors: NamedTensors) -> Parameters:
    """A copy of all parameters in the canonical layout."""
    return {name: one.canonical(one.tensor) for name, one in tensors.items()}


def load_parameters(tensors: NamedTensors, parameters: Parameters) -> None:
    """Copy `parameters` in."""
    for name, one in tensors.items():
        one.load(parameters[name])


MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}

KERNEL_CELLS = frozenset(MODULES)
"""The cells that have kernels of their own: torch's, and those of benchsuite_torch.kernels."""


def runs_by_kernel(cell: str, unroll: str, resets: bool, recurrent_dropout: bool) -> bool:
    """Whether a cell runs by a kernel; otherwise by its own step (benchsuite_torch.generic) or as a scan."""
    return cell in KERNEL_CELLS and unroll != "scan" and not resets and not recurrent_dropout


LayerStates = tuple[torch.Tensor, ...]
"""The parts of a cell's state, (h,) or, for lstm, (h, c); each (layers * directions, B, H), layer by layer,
forward before backward."""


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
        """In the order that torch's operators take."""
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

    def named_tensors(self) -> NamedTensors:
        named: NamedTensors = {}
        for layer in self.layers:
            for one in layer:
                named[f"{one.prefix}.Wx"] = CanonicalTensor(one.w_ih, TRANSPOSED)
                named[f"{one.prefix}.Wh"] = CanonicalTensor(one.w_hh, TRANSPOSED)
                if self.body.cell == "gru":
                    named[f"{one.prefix}.bx"] = CanonicalTensor(one.b_ih, AS_IS[1])
                    named[f"{one.prefix}.bh"] = CanonicalTensor(one.b_hh, AS_IS[1])
                else:
                    named[f"{one.prefix}.b"] = CanonicalTensor(one.b_ih, AS_IS[1])
        return named

    def initial_state(self, batch: int) -> LayerStates:
        """The state before the first step."""
        body, like = self.body, self.layers[0][0].w_hh
        shape = (body.layers * len(body.directions), batch, body.hidden)
        return tuple(like.new_zeros(shape) for _ in range(2 if body.cell == "lstm" else 1))


@dataclass(frozen=True)
class CellDirection:
    """One layer of any cell in one direction: its weights by the cell's names, in the canonical layout."""

    prefix: str
    reverse: bool
    name: str
    hidden: int
    weights: dict[str, torch.Tensor]

    @property
    def cell(self) -> Cell:
        return cell_named(self.name)


class CellStack:
    """RecurrentStack for any cell.

    :param scans: whether its layers run as scans over time, not step after step.
    """

    def __init__(
        self,
        body: Recurrent,
        inputs: int,
        device: torch.device,
        dtype: torch.dtype,
        prefix: str = "rnn",
        scans: bool = False,
    ) -> None:
        self.body, self.prefix, self.scans = body, prefix, scans
        self._like = torch.empty((), device=device, dtype=dtype)
        self.layers: list[list[CellDirection]] = []
        for layer in range(body.layers):
            shapes = cell_named(body.cell).parameters(inputs, body.hidden)
            self.layers.append(
                [
                    CellDirection(
                        f"{prefix}.l{layer}.{way}",
                        way == "bwd",
                        body.cell,
                        body.hidden,
                        {name: allocate(one.shape, device, dtype) for name, one in shapes.items()},
                    )
                    for way in body.directions
                ]
            )
            inputs = body.output_size

    def named_tensors(self) -> NamedTensors:
        return {
            f"{one.prefix}.{name}": CanonicalTensor(tensor, tuple(range(tensor.dim())))
            for layer in self.layers
            for one in layer
            for name, tensor in one.weights.items()
        }

    def initial_state(self, batch: int) -> LayerStates:
        """The state before the first step."""
        body = self.body
        shape = (body.layers * len(body.directions), batch, body.hidden)
        return tuple(self._like.new_full(shape, part.initial) for part in cell_named(body.cell).state)


Stack = RecurrentStack | CellStack


def make_stack(
    body: Recurrent,
    inputs: int,
    device: torch.device,
    dtype: torch.dtype,
    prefix: str,
    unroll: str,
    resets: bool,
    recurrent_dropout: bool,
) -> Stack:
    """The stack that runs `body`, by kernels where they can."""
    if runs_by_kernel(body.cell, unroll, resets, recurrent_dropout):
        return RecurrentStack(body, inputs, device, dtype, prefix)
    return CellStack(body, inputs, device, dtype, prefix, scans=unroll == "scan")
