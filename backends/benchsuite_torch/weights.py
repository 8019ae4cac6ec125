"""Parameters: torch tensors known by their canonical names, and the way from one layout to the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from benchsuite.contracts.backend import Parameters

AS_IS: dict[int, tuple[int, ...]] = {1: (0,), 2: (0, 1)}
TRANSPOSED = (1, 0)
CONVOLUTION = (3, 2, 0, 1)  # (k, k, in, out) -> (out, in, k, k)


@dataclass(frozen=True)
class Slot:
    """A trainable tensor; `axes` permutes the canonical array into torch's layout."""

    tensor: torch.Tensor
    axes: tuple[int, ...]

    def write(self, array: np.ndarray) -> None:
        with torch.no_grad():
            self.tensor.copy_(torch.from_numpy(np.ascontiguousarray(array.transpose(self.axes))))

    def canonical(self, values: torch.Tensor) -> np.ndarray:
        """A copy, in the canonical layout, of `values` laid out as the tensor is."""
        return np.array(values.detach().cpu().numpy().transpose(np.argsort(self.axes)), order="C")


Slots = dict[str, Slot]


def allocate(shape: Iterable[int], device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """A trainable tensor, not yet filled."""
    return torch.empty(tuple(shape), device=device, dtype=dtype, requires_grad=True)


def read(slots: Slots) -> Parameters:
    """A copy of all parameters in the canonical layout."""
    return {name: slot.canonical(slot.tensor) for name, slot in slots.items()}


def write(slots: Slots, parameters: Parameters) -> None:
    """Copy `parameters` in."""
    for name, slot in slots.items():
        slot.write(parameters[name])
