"""Placed: a batch as tensors on the device, with everything about its lengths worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from benchsuite.contracts import Batch
from benchsuite.spec import ModelSpec, Recurrent, Tokens

IGNORED = -100
"""The class id that torch's cross-entropy leaves out."""


@dataclass(frozen=True)
class Rows:
    """Which steps of a batch are real. `steps` is how many the model runs: the padded length T for a static
    unroll, else the longest row's length.

    time      padded length T of the batch
    lengths   (B,) int64, on the host
    device    where the derived tensors lie
    dtype     of the masks
    """

    time: int
    steps: int
    lengths: torch.Tensor
    device: torch.device
    dtype: torch.dtype

    @property
    def batch(self) -> int:
        return len(self.lengths)

    @cached_property
    def shortest(self) -> int:
        return int(self.lengths.min())

    @property
    def full(self) -> bool:
        """Whether every row has all `steps` steps, so that nothing needs a mask."""
        return self.shortest == self.steps

    @cached_property
    def valid(self) -> int:
        """Real time steps in the batch."""
        return int(self.lengths.sum())

    @cached_property
    def mask(self) -> torch.Tensor:
        """(steps, B, 1): one on real steps, zero on padding."""
        live = torch.arange(self.steps)[:, None] < self.lengths
        return live[..., None].to(self.device, self.dtype)

    @cached_property
    def divisor(self) -> torch.Tensor:
        """(B, 1): the lengths as reals."""
        return self.lengths[:, None].to(self.device, self.dtype)

    @cached_property
    def last(self) -> torch.Tensor:
        """(B,): index of each row's last step in a (steps * B, ...) view."""
        return ((self.lengths - 1) * self.batch + torch.arange(self.batch)).to(self.device)

    @cached_property
    def reversal(self) -> torch.Tensor:
        """(steps * B,): the permutation of a (steps * B, ...) view that turns each row round within its own
        length and leaves padding where it is. It is its own inverse."""
        t = torch.arange(self.steps)[:, None]
        source = torch.where(t < self.lengths, self.lengths - 1 - t, t)
        return (source * self.batch + torch.arange(self.batch)).flatten().to(self.device)

    def prepare(self, bidirectional: bool) -> None:
        """Derive now what a ragged batch needs: not inside a timed step, nor in inference mode, whose tensors
        no later backward pass could use."""
        if not self.full:
            for name in ("mask", "last", "divisor", *(["reversal"] if bidirectional else [])):
                getattr(self, name)


@dataclass(frozen=True)
class Placed:
    """A batch on the device, time first where the model is recurrent.

    inputs   (steps, B, D) or (steps, B) ids; batch first for a model without recurrence
    targets  (B,), (B, O), (steps * B,) with IGNORED on padding, or (steps, B, O)
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    rows: Rows
    fresh: bool


def place(batch: Batch, model: ModelSpec, static: bool, device: torch.device, dtype: torch.dtype) -> Placed:
    """Copy `batch` to `device` as `model` wants it; a static unroll keeps padding beyond the longest row."""
    lengths = torch.from_numpy(batch.lengths.astype(np.int64))
    steps = batch.time if static else int(lengths.max())
    rows = Rows(batch.time, steps, lengths, device, dtype)
    inputs = torch.tensor(
        batch.inputs, dtype=None if isinstance(model.input, Tokens) else dtype, device=device
    )
    if isinstance(model.body, Recurrent):
        rows.prepare(model.body.bidirectional)
        inputs = inputs.transpose(0, 1)[:steps].contiguous()
    classes = model.loss == "cross_entropy"
    targets = torch.tensor(batch.targets, dtype=torch.int64 if classes else dtype, device=device)
    if model.readout == "steps":
        targets = targets.transpose(0, 1)[:steps].contiguous()
        if classes:
            targets = targets.masked_fill(rows.mask[..., 0] == 0, IGNORED).flatten()
    return Placed(inputs, targets, rows, batch.fresh)
