"""PlacedBatch: a batch as tensors on the device, with everything about its lengths worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch

from benchsuite.contracts import Batch, valid_mask
from benchsuite.schema import ModelSpec, Recurrent, Tokens


@dataclass(frozen=True)
class RowLengths:
    """Which steps of a batch of B rows are valid.

    time           padded length T of the batch
    steps          how many steps the model runs: T for a static unroll, otherwise the longest row's length
    lengths        (B,) int64, on the host
    device         where the derived tensors are
    dtype          of the masks
    longest_first  whether the rows are sorted by length: a loop may then stop computing those that have ended
    """

    time: int
    steps: int
    lengths: torch.Tensor
    device: torch.device
    dtype: torch.dtype
    longest_first: bool = False

    @property
    def batch(self) -> int:
        """Rows, B."""
        return len(self.lengths)

    @cached_property
    def shortest(self) -> int:
        return int(self.lengths.min())

    @property
    def full(self) -> bool:
        """Whether every row has all `steps` steps, so that nothing needs a mask."""
        return self.shortest == self.steps

    @cached_property
    def batch_sizes(self) -> list[int]:
        """How many rows a loop computes at each step, as in torch's PackedSequence."""
        if not self.longest_first:
            return [self.batch] * self.steps
        sizes: list[int] = (torch.arange(self.steps)[:, None] < self.lengths).sum(1).tolist()
        return sizes

    def pack(self, x: torch.Tensor) -> torch.Tensor:
        """The rows of x (steps, B, ...) that a loop computes, step after step: (N, ...)."""
        flat = x.flatten(0, 1)
        return flat.index_select(0, self.valid_index) if self.longest_first else flat

    def unpack(self, packed: torch.Tensor) -> torch.Tensor:
        """The inverse of pack(): (steps, B, ...), zero where nothing was computed."""
        shape = (self.steps, self.batch, *packed.shape[1:])
        if not self.longest_first:
            return packed.view(shape)
        padded = packed.new_zeros((shape[0] * shape[1], *shape[2:]))
        return padded.index_copy_(0, self.valid_index, packed).view(shape)

    @cached_property
    def mask(self) -> torch.Tensor:
        """(steps, B, 1): one on valid steps, zero on padding."""
        return self.valid.to(self.dtype)

    @cached_property
    def valid(self) -> torch.Tensor:
        """(steps, B, 1) bool: true on valid steps."""
        valid = torch.arange(self.steps)[:, None] < self.lengths
        return valid[..., None].to(self.device)

    @property
    def live_steps(self) -> list[torch.Tensor | None]:
        """For each step `valid` (B, 1); None where it is valid for every row that a loop computes."""
        if self.longest_first:
            return [None] * self.steps
        return [None if t < self.shortest else self.valid[t] for t in range(self.steps)]

    @property
    def begun_masks(self) -> list[torch.Tensor | None]:
        """For each step of a loop that reads backward (B, 1): zero for the rows that have not begun before it.
        None where all have, and everywhere where the loop computes no row that has not."""
        if self.longest_first:
            return [None] * self.steps
        later = range(1, self.steps + 1)
        return [self.mask[t] if self.shortest <= t < self.steps else None for t in later]

    @cached_property
    def float_lengths(self) -> torch.Tensor:
        """(B, 1): the lengths in the dtype of the masks."""
        return self.lengths[:, None].to(self.device, self.dtype)

    @cached_property
    def last_index(self) -> torch.Tensor:
        """(B,): index of each row's last valid step in a (steps * B, ...) view."""
        return ((self.lengths - 1) * self.batch + torch.arange(self.batch)).to(self.device)

    @cached_property
    def reversal(self) -> torch.Tensor:
        """(steps * B,): the permutation of a (steps * B, ...) view that reverses each row within its own length
        and leaves padding where it is. It is its own inverse."""
        t = torch.arange(self.steps)[:, None]
        source = torch.where(t < self.lengths, self.lengths - 1 - t, t)
        return (source * self.batch + torch.arange(self.batch)).flatten().to(self.device)

    @cached_property
    def valid_index(self) -> torch.Tensor:
        """(n,): indices of the valid steps in a (steps * B, ...) view, ascending."""
        valid = torch.arange(self.steps)[:, None] < self.lengths
        return valid.flatten().nonzero()[:, 0].to(self.device)

    @cached_property
    def score_mask(self) -> torch.Tensor:
        """(B, steps): what attention adds to its scores: zero on valid steps, minus infinity on padding."""
        padding = torch.arange(self.steps) >= self.lengths[:, None]
        mask = torch.zeros(padding.shape, dtype=self.dtype).masked_fill_(padding, -torch.inf)
        return mask.to(self.device)

    def prepare(self, *names: str) -> None:
        """Compute now what a ragged batch needs: not inside a timed step, nor in inference mode, whose tensors
        no later backward pass could use."""
        if not self.full:
            for name in names:
                getattr(self, name)


@dataclass(frozen=True)
class Resets:
    """Where states are set to their initial values before the step.

    mask     (steps, B, 1) bool
    by_step  for each step (B, 1) bool, or None where no row starts again
    """

    mask: torch.Tensor
    by_step: tuple[torch.Tensor | None, ...]

    @classmethod
    def of(cls, mask: torch.Tensor) -> Resets:
        """:param mask: (steps, B) bool."""
        some = mask.any(1).tolist()
        mask = mask[..., None]
        return cls(mask, tuple(each if one else None for each, one in zip(mask.unbind(0), some, strict=True)))


@dataclass(frozen=True)
class PlacedBatch:
    """A batch on the device, time first where the model is recurrent.

    Where a loop runs ragged rows, they are sorted, the longest first: its work then follows the real lengths.

    inputs          (steps, B, D) or (steps, B) ids; batch first for a model without recurrence
    targets         (B,) or (B, O); by step those of the n valid steps, (n,) or (n, O), in the order of
                    (steps, B); a decoder's (n,) likewise, over its own steps; CTC's (B, U)
    target_rows     which steps of the targets are valid, where they have a length of their own
    decoder_inputs  (target_rows.steps, B): the token before each of a decoder's targets
    resets          where a model with resets starts anew
    masks           of dropout, by the names of schema.mask_widths: (B, units), in the order of the placed rows
    order           (B,): place i holds row order[i] of the batch; None where the rows are not sorted
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    rows: RowLengths
    target_rows: RowLengths | None = None
    decoder_inputs: torch.Tensor | None = None
    order: torch.Tensor | None = None
    resets: Resets | None = None
    masks: Mapping[str, torch.Tensor] = field(default_factory=dict)

    @cached_property
    def unsorted_index(self) -> torch.Tensor | None:
        """(B,): the place of each row of the batch; None where the rows are not sorted."""
        return None if self.order is None else self.order.argsort()

    def sort(self, values: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """`values`, whose rows along `dim` are in the batch's order, in the order of this batch's rows."""
        return values if self.order is None else values.index_select(dim, self.order)

    def unsort(self, values: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """The inverse of sort()."""
        return values if self.unsorted_index is None else values.index_select(dim, self.unsorted_index)

    @property
    def unsorted_rows(self) -> RowLengths:
        """`rows` in the batch's order."""
        if self.unsorted_index is None:
            return self.rows
        lengths = self.rows.lengths[self.unsorted_index.cpu()]
        return replace(self.rows, lengths=lengths, longest_first=False)


CLASSES = ("cross_entropy", "ctc")
"""Losses whose targets are ids."""


def place_batch(
    batch: Batch, model: ModelSpec, static: bool, sort: bool, device: torch.device, dtype: torch.dtype
) -> PlacedBatch:
    """Copy `batch` to `device` as `model` wants it. A static unroll keeps padding beyond the longest row; with
    `sort` ragged rows are sorted, the longest first."""
    rows = _row_lengths(batch.lengths, batch.time, static, device, dtype)
    order = None
    if sort and isinstance(model.body, Recurrent) and not rows.full:
        order = rows.lengths.argsort(descending=True, stable=True)
        rows = replace(rows, lengths=rows.lengths[order], longest_first=True)
        order = order.to(device)
    inputs = torch.tensor(
        batch.inputs, dtype=None if isinstance(model.input, Tokens) else dtype, device=device
    )
    if isinstance(model.body, Recurrent):
        rows.prepare("valid", "mask", "last_index", "float_lengths", "valid_index")
        if model.body.bidirectional:
            rows.prepare("reversal")
        inputs = _sorted(inputs.transpose(0, 1)[: rows.steps], order, 1)
    classes = model.loss in CLASSES
    targets = torch.tensor(batch.targets, dtype=torch.int64 if classes else dtype, device=device)
    targets = _sorted(targets, order, 0)
    resets = None
    if batch.resets is not None:
        # a reset on padding would change the final state
        inside = valid_mask(batch.lengths, batch.time)
        given = torch.tensor(batch.resets & inside, device=device)
        resets = Resets.of(_sorted(given.transpose(0, 1)[: rows.steps], order, 1))
    masks = {
        name: _sorted(torch.tensor(mask, dtype=dtype, device=device), order, 0)
        for name, mask in batch.masks.items()
    }
    placed = PlacedBatch(inputs, targets, rows, order=order, resets=resets, masks=masks)
    if model.has_sequence_targets:
        return _with_sequences(placed, batch, model, static)
    return replace(placed, targets=_valid_only(targets, rows)) if model.readout == "steps" else placed


def _with_sequences(placed: PlacedBatch, batch: Batch, model: ModelSpec, static: bool) -> PlacedBatch:
    """Targets of a length of their own."""
    assert batch.target_lengths is not None
    device, dtype, order = placed.rows.device, placed.rows.dtype, placed.order
    lengths = batch.target_lengths if order is None else batch.target_lengths[order.cpu().numpy()]
    target_rows = _row_lengths(lengths, batch.targets.shape[1], static, device, dtype)
    if model.decoder is None:
        return replace(placed, target_rows=target_rows)
    placed.rows.prepare("score_mask")
    target_rows.prepare("valid_index", "valid", "mask")
    inputs = torch.tensor(batch.decoder_inputs(model.decoder.start), device=device)
    return replace(
        placed,
        targets=_valid_only(placed.targets, target_rows),
        target_rows=target_rows,
        decoder_inputs=_sorted(inputs.transpose(0, 1)[: target_rows.steps], order, 1),
    )


def _row_lengths(
    lengths: np.ndarray, time: int, static: bool, device: torch.device, dtype: torch.dtype
) -> RowLengths:
    known = torch.from_numpy(lengths.astype(np.int64))
    return RowLengths(time, time if static else int(known.max()), known, device, dtype)


def _sorted(values: torch.Tensor, order: torch.Tensor | None, dim: int) -> torch.Tensor:
    return values.contiguous() if order is None else values.index_select(dim, order)


def _valid_only(targets: torch.Tensor, rows: RowLengths) -> torch.Tensor:
    """Targets (B, T, ...) of the valid steps alone, step by step."""
    flat = targets.transpose(0, 1)[: rows.steps].flatten(0, 1)
    return flat if rows.full else flat.index_select(0, rows.valid_index)
