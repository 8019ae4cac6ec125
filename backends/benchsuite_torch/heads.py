"""From the recurrent layers' outputs to the loss: readout, output layer, loss.

With an output at every step only the valid ones reach the head: scores are those of n rows or valid steps.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.schema import BLANK, Dense, ModelSpec
from benchsuite_torch.placement import Placed, Rows
from benchsuite_torch.products import affine
from benchsuite_torch.projection import ProjectedCrossEntropy
from benchsuite_torch.weights import AS_IS, Slot, Slots, allocate

REGRESSION = ("squared", "absolute")
"""Losses whose scores are forecasts; under the others they are those of classes."""


def read_out(model: ModelSpec, y: torch.Tensor, rows: Rows, hidden: int) -> torch.Tensor:
    """Features (n, F) for the head from outputs y (steps, B, F), whose padding is arbitrary: of every row, or
    for readout `steps` of every valid step, under `ctc` of every step. `hidden` is the width of the forward
    direction's part."""
    if model.readout == "steps":
        return y.flatten(0, 1) if model.loss == "ctc" else only_real(y, rows)
    if model.readout == "mean":
        return y.mean(0) if rows.full else (y * rows.mask).sum(0) / rows.divisor
    last = y[-1] if rows.full else y.flatten(0, 1).index_select(0, rows.last)
    if y.shape[2] == hidden:
        return last
    return torch.cat([last[:, :hidden], y[0, :, hidden:]], dim=1)


def only_real(y: torch.Tensor, rows: Rows) -> torch.Tensor:
    """The valid steps (n, F) of y (steps, B, F)."""
    flat = y.flatten(0, 1)
    return flat if rows.full else flat.index_select(0, rows.real)


def by_step(scores: torch.Tensor, rows: Rows, every: bool) -> torch.Tensor:
    """Scores (B, T, O), zero on padding, from those of the valid steps (n, O), or of `every` step."""
    shape = (rows.steps, rows.batch, scores.shape[1])
    if rows.full:
        spread = scores.view(shape)
    elif every:
        spread = scores.view(shape) * rows.mask
    else:
        spread = (
            scores.new_zeros((shape[0] * shape[1], shape[2])).index_copy_(0, rows.real, scores).view(shape)
        )
    return functional.pad(spread.transpose(0, 1), (0, 0, 0, rows.time - rows.steps))


class Head:
    """Dense: x W + b. Rbf: sum_i (x_i - W_ij)^2, negated as a class score (LeCun et al. 1998, eq. 7)."""

    def __init__(self, model: ModelSpec, device: torch.device, dtype: torch.dtype) -> None:
        self.model = model
        outputs = model.head.outputs
        self.W = allocate((model.head_inputs, outputs), device, dtype)
        self.b = allocate((outputs,), device, dtype) if isinstance(model.head, Dense) else None

    def slots(self) -> Slots:
        if self.b is None:
            return {"rbf.W": Slot(self.W, AS_IS[2])}
        return {"out.W": Slot(self.W, AS_IS[2]), "out.b": Slot(self.b, AS_IS[1])}

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, O) of features (n, F)."""
        if self.b is not None:
            return affine(x, self.W.t(), self.b)
        # differences before squares: the expanded |x|^2 - 2xW + |W|^2 cancels digits
        distance = (x.unsqueeze(-1) - self.W).square().sum(-2)
        return distance if self.model.loss in REGRESSION else -distance

    def loss(self, x: torch.Tensor, placed: Placed) -> torch.Tensor:
        """The loss of features x (n, F), a scalar: its sum over valid entries over their count."""
        kind, targets = self.model.loss, placed.targets
        many = self.model.readout == "steps" or self.model.decoder is not None
        if kind == "cross_entropy" and self.b is not None and many:
            return ProjectedCrossEntropy.apply(x, self.W, self.b, targets)
        scores = self(x)
        if kind == "cross_entropy":
            return functional.cross_entropy(scores, targets)
        if kind == "binary_cross_entropy":
            return functional.binary_cross_entropy_with_logits(scores, targets)
        if kind == "ctc":
            return _ctc(scores, placed)
        error = scores - targets
        return (error.square() if kind == "squared" else error.abs()).mean()


def _ctc(scores: torch.Tensor, placed: Placed) -> torch.Tensor:
    """Mean over rows of -ln p(labels | scores[:length]) (Graves et al. 2006), scores (steps * B, O).

    torch's own mean divides each row by its number of labels first, which is another loss. The paths are summed
    in double precision: the logarithms of a long row's single ones keep four digits of their differences.
    """
    assert placed.written is not None
    rows = placed.rows
    log_p = scores.double().log_softmax(1).view(rows.steps, rows.batch, -1)
    lengths = rows.lengths, placed.written.lengths
    losses = functional.ctc_loss(log_p, placed.targets, *lengths, blank=BLANK, reduction="none")
    return losses.mean().to(scores.dtype)
