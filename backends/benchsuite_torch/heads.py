"""From the recurrent layers' outputs to the loss: readout, output layer, loss."""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.spec import Dense, ModelSpec
from benchsuite_torch.placement import IGNORED, Placed, Rows
from benchsuite_torch.weights import AS_IS, Slot, Slots, allocate


def read_out(model: ModelSpec, y: torch.Tensor, rows: Rows, hidden: int) -> torch.Tensor:
    """Features for the head from outputs y (steps, B, F), whose padding is arbitrary: (B, F), or for readout
    `steps` (steps, B, F). `hidden` is the width of the forward direction's part."""
    if model.readout == "steps":
        return y
    if model.readout == "mean":
        return y.mean(0) if rows.full else (y * rows.mask).sum(0) / rows.divisor
    last = y[-1] if rows.full else y.flatten(0, 1).index_select(0, rows.last)
    if y.shape[2] == hidden:
        return last
    return torch.cat([last[:, :hidden], y[0, :, hidden:]], dim=1)


class Head:
    """Dense: x W + b. Rbf: sum_i (x_i - W_ij)^2, negated as a class score (LeCun et al. 1998, eq. 7)."""

    def __init__(self, model: ModelSpec, device: torch.device, dtype: torch.dtype) -> None:
        self.model = model
        outputs = model.head.outputs
        self.W = allocate((model.body.output_size, outputs), device, dtype)
        self.b = allocate((outputs,), device, dtype) if isinstance(model.head, Dense) else None

    def slots(self) -> Slots:
        if self.b is None:
            return {"rbf.W": Slot(self.W, AS_IS[2])}
        return {"out.W": Slot(self.W, AS_IS[2]), "out.b": Slot(self.b, AS_IS[1])}

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (..., O) of features (..., F)."""
        if self.b is not None:
            return torch.addmm(self.b, x.flatten(0, -2), self.W).unflatten(0, x.shape[:-1])
        # differences before squares: the expanded |x|^2 - 2xW + |W|^2 cancels digits
        distance = (x.unsqueeze(-1) - self.W).square().sum(-2)
        return -distance if self.model.loss == "cross_entropy" else distance


def loss(model: ModelSpec, scores: torch.Tensor, placed: Placed) -> torch.Tensor:
    """The loss of `scores`, a scalar: its sum over valid entries over their count."""
    if model.loss == "cross_entropy":
        return functional.cross_entropy(scores.flatten(0, -2), placed.targets, ignore_index=IGNORED)
    error = scores - placed.targets
    entries = error.square() if model.loss == "squared" else error.abs()
    if model.readout != "steps" or placed.rows.full:
        return entries.mean()
    return (entries * placed.rows.mask).sum() / (placed.rows.valid * scores.shape[-1])


def padded(scores: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Scores by step (steps, B, O) as (B, T, O), zero on padding."""
    if not rows.full:
        scores = scores * rows.mask
    return functional.pad(scores.transpose(0, 1), (0, 0, 0, rows.time - rows.steps))
