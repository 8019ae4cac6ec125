"""Placed: a batch as tensors on the device, with everything about its lengths worked out once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.schema import ModelSpec, Recurrent, Tokens


@dataclass(frozen=True)
class Rows:
    """Which steps of a batch are real. `steps` is how many the model runs: the padded length T for a static
    unroll, else the longest row's length.

    time      padded length T of the batch
    lengths   (B,) int64, on the host
    device    where the derived tensors lie
    dtype     of the masks
    falling   whether the longest rows come first: a loop may then let go of those that have ended
    """

    time: int
    steps: int
    lengths: torch.Tensor
    device: torch.device
    dtype: torch.dtype
    falling: bool = False

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
    def counts(self) -> list[int]:
        """How many rows a loop computes at each step."""
        if not self.falling:
            return [self.batch] * self.steps
        found: list[int] = (torch.arange(self.steps)[:, None] < self.lengths).sum(1).tolist()
        return found

    def computed(self, x: torch.Tensor) -> torch.Tensor:
        """The steps (n, ...) of x (steps, B, ...) that a loop computes, step by step."""
        flat = x.flatten(0, 1)
        return flat.index_select(0, self.real) if self.falling else flat

    def spread(self, flat: torch.Tensor) -> torch.Tensor:
        """(steps, B, ...) of what computed() gives, zero elsewhere."""
        shape = (self.steps, self.batch, *flat.shape[1:])
        if not self.falling:
            return flat.view(shape)
        spread = flat.new_zeros((shape[0] * shape[1], *shape[2:]))
        return spread.index_copy_(0, self.real, flat).view(shape)

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

    @cached_property
    def real(self) -> torch.Tensor:
        """(n,): indices of the valid steps in a (steps * B, ...) view, ascending."""
        live = torch.arange(self.steps)[:, None] < self.lengths
        return live.flatten().nonzero()[:, 0].to(self.device)

    @cached_property
    def barred(self) -> torch.Tensor:
        """(B, steps): what attention adds to its scores: zero on real steps, minus infinity on padding."""
        padding = torch.arange(self.steps) >= self.lengths[:, None]
        return torch.zeros(padding.shape, dtype=self.dtype).masked_fill_(padding, -torch.inf).to(self.device)

    def prepare(self, *names: str) -> None:
        """Derive now what a ragged batch needs: not inside a timed step, nor in inference mode, whose tensors
        no later backward pass could use."""
        if not self.full:
            for name in names:
                getattr(self, name)


@dataclass(frozen=True)
class Placed:
    """A batch on the device, time first where the model is recurrent.

    Where a loop runs ragged rows, the longest come first: work then follows the real lengths.

    inputs   (steps, B, D) or (steps, B) ids; batch first for a model without recurrence
    targets  (B,) or (B, O); by step those of the n valid steps, (n,) or (n, O), in the order of (steps, B); a
             decoder's (n,) likewise, over its own steps; CTC's (B, U)
    written  which steps of the targets are real, where they have a length of their own
    fed      (written.steps, B): the token before each of a decoder's targets
    order    (B,): which row of the batch stands where; None where all stand as they came
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    rows: Rows
    fresh: bool
    written: Rows | None = None
    fed: torch.Tensor | None = None
    order: torch.Tensor | None = None

    @cached_property
    def places(self) -> torch.Tensor | None:
        """(B,): where each row of the batch stands; None where all stand as they came."""
        return None if self.order is None else self.order.argsort()

    def restored(self, values: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """`values` with its rows, along `dim`, as they came."""
        return values if self.places is None else values.index_select(dim, self.places)

    @property
    def rows_as_they_came(self) -> Rows:
        if self.places is None:
            return self.rows
        return replace(self.rows, lengths=self.rows.lengths[self.places.cpu()], falling=False)


CLASSES = ("cross_entropy", "ctc")
"""Losses whose targets are ids."""


def place(
    batch: Batch, model: ModelSpec, static: bool, sort: bool, device: torch.device, dtype: torch.dtype
) -> Placed:
    """Copy `batch` to `device` as `model` wants it; a static unroll keeps padding beyond the longest row, and
    with `sort` ragged rows come longest first.

    Raises ContractError where targets of a length of their own come without their lengths.
    """
    rows = _rows(batch.lengths, batch.time, static, device, dtype)
    order = None
    if sort and isinstance(model.body, Recurrent) and not rows.full:
        order = rows.lengths.argsort(descending=True, stable=True)
        rows = replace(rows, lengths=rows.lengths[order], falling=True)
        order = order.to(device)
    inputs = torch.tensor(
        batch.inputs, dtype=None if isinstance(model.input, Tokens) else dtype, device=device
    )
    if isinstance(model.body, Recurrent):
        rows.prepare("mask", "last", "divisor", "real")
        if model.body.bidirectional:
            rows.prepare("reversal")
        inputs = _sorted(inputs.transpose(0, 1)[: rows.steps], order, 1)
    classes = model.loss in CLASSES
    targets = torch.tensor(batch.targets, dtype=torch.int64 if classes else dtype, device=device)
    targets = _sorted(targets, order, 0)
    placed = Placed(inputs, targets, rows, batch.fresh, order=order)
    if model.has_sequence_targets:
        return _with_sequences(placed, batch, model, static)
    return replace(placed, targets=_only_real(targets, rows)) if model.readout == "steps" else placed


def _with_sequences(placed: Placed, batch: Batch, model: ModelSpec, static: bool) -> Placed:
    """Targets of a length of their own."""
    if batch.target_lengths is None:
        raise ContractError("a batch for a decoder or for CTC needs target_lengths beside its targets")
    device, dtype, order = placed.rows.device, placed.rows.dtype, placed.order
    lengths = batch.target_lengths if order is None else batch.target_lengths[order.cpu().numpy()]
    written = _rows(lengths, batch.targets.shape[1], static, device, dtype)
    if model.decoder is None:
        return replace(placed, written=written)
    placed.rows.prepare("barred")
    written.prepare("real", "mask")
    fed = torch.tensor(batch.decoder_inputs(model.decoder.start), device=device)
    return replace(
        placed,
        targets=_only_real(placed.targets, written),
        written=written,
        fed=_sorted(fed.transpose(0, 1)[: written.steps], order, 1),
    )


def _rows(lengths: np.ndarray, time: int, static: bool, device: torch.device, dtype: torch.dtype) -> Rows:
    known = torch.from_numpy(lengths.astype(np.int64))
    return Rows(time, time if static else int(known.max()), known, device, dtype)


def _sorted(values: torch.Tensor, order: torch.Tensor | None, dim: int) -> torch.Tensor:
    return values.contiguous() if order is None else values.index_select(dim, order)


def _only_real(targets: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Targets (B, T, ...) of the valid steps alone, step by step."""
    flat = targets.transpose(0, 1)[: rows.steps].flatten(0, 1)
    return flat if rows.full else flat.index_select(0, rows.real)
