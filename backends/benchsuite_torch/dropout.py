"""Dropout by the masks of a batch, whose names schema.mask_widths() gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch

from benchsuite_torch.layers import CellDirection, Direction

NO_MASKS: Mapping[str, torch.Tensor] = MappingProxyType({})


def mask_name(layer: Sequence[Direction | CellDirection]) -> str:
    """The mask of what a layer reads: `rnn.l1.x`, for both of its directions."""
    return f"{layer[0].prefix.rpartition('.')[0]}.x"


def dropped(
    x: torch.Tensor, masks: Mapping[str, torch.Tensor], layer: Sequence[Direction | CellDirection]
) -> torch.Tensor:
    """What a layer reads, x (..., B, I), times its mask (B, I), where there is one."""
    mask = masks.get(mask_name(layer))
    return x if mask is None else x * mask
