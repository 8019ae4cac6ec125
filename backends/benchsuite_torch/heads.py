"""From the recurrent layers' outputs to the loss: readout, output layer, loss.

With an output at every step only the valid ones reach the head: scores are those of n rows or valid steps.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.errors import UnsupportedError
from benchsuite.schema import Dense, ModelSpec
from benchsuite.schema.names import LOSSES
from benchsuite_torch.ctc import ctc_loss
from benchsuite_torch.kernels.cross_entropy import ProjectedCrossEntropy
from benchsuite_torch.kernels.matmul import affine
from benchsuite_torch.layers import AS_IS, CanonicalTensor, NamedTensors, allocate
from benchsuite_torch.placement import PlacedBatch, RowLengths

REGRESSION = ("squared", "absolute")
"""Losses whose scores are forecasts; under the others they are those of classes."""


def read_out(model: ModelSpec, y: torch.Tensor, rows: RowLengths, hidden: int) -> torch.Tensor:
    """Features (n, F) for the head from outputs y (steps, B, F), whose padding is arbitrary: of every row, or
    for readout `steps` of every valid step, under `ctc` of every step. `hidden` is the width of the forward
    direction's part."""
    if model.readout == "steps":
        return y.flatten(0, 1) if model.loss == "ctc" else valid_only(y, rows)
    if model.readout == "mean":
        return y.mean(0) if rows.full else (y * rows.mask).sum(0) / rows.float_lengths
    if model.readout != "last":
        raise UnsupportedError(f"torch has no readout {model.readout!r}; it has last, mean, steps")
    last = y[-1] if rows.full else y.flatten(0, 1).index_select(0, rows.last_index)
    if y.shape[2] == hidden:
        return last
    return torch.cat([last[:, :hidden], y[0, :, hidden:]], dim=1)


def valid_only(y: torch.Tensor, rows: RowLengths) -> torch.Tensor:
    """The valid steps (n, F) of y (steps, B, F)."""
    flat = y.flatten(0, 1)
    return flat if rows.full else flat.index_select(0, rows.valid_index)


def by_step(scores: torch.Tensor, rows: RowLengths, every: bool) -> torch.Tensor:
    """Scores (B, T, O), zero on padding, from those of the valid steps (n, O), or of `every` step."""
    shape = (rows.steps, rows.batch, scores.shape[1])
    if rows.full:
        padded = scores.view(shape)
    elif every:
        padded = scores.view(shape) * rows.mask
    else:
        zeros = scores.new_zeros((shape[0] * shape[1], shape[2]))
        padded = zeros.index_copy_(0, rows.valid_index, scores).view(shape)
    return functional.pad(padded.transpose(0, 1), (0, 0, 0, rows.time - rows.steps))


class Head:
    """Dense: x W + b. Rbf: sum_i (x_i - W_ij)^2, negated as a class score (LeCun et al. 1998, eq. 7).

    With `own_kernels` products and cross-entropy are those of benchsuite_torch.kernels, otherwise torch's own.
    `smoothing`: under cross-entropy, the share of a target that is spread over all classes.
    """

    def __init__(
        self,
        model: ModelSpec,
        device: torch.device,
        dtype: torch.dtype,
        own_kernels: bool = True,
        smoothing: float = 0.0,
        embedding: torch.Tensor | None = None,
    ) -> None:
        """`embedding`: the matrix (V, E) that a tied layer shares."""
        self.model, self._own_kernels, self._smoothing = model, own_kernels, smoothing
        outputs = model.head.outputs
        self._tied = isinstance(model.head, Dense) and model.head.tied
        self._matrix = embedding if self._tied else allocate((model.head_inputs, outputs), device, dtype)
        self.b = allocate((outputs,), device, dtype) if isinstance(model.head, Dense) else None

    @property
    def W(self) -> torch.Tensor:  # noqa: N802 - as the formula has it
        """(F, O)."""
        assert self._matrix is not None
        return self._matrix.t() if self._tied else self._matrix

    def named_tensors(self) -> NamedTensors:
        if self._tied and self.b is not None:
            return {"out.b": CanonicalTensor(self.b, AS_IS[1])}
        if self.b is None:
            return {"rbf.W": CanonicalTensor(self.W, AS_IS[2])}
        return {"out.W": CanonicalTensor(self.W, AS_IS[2]), "out.b": CanonicalTensor(self.b, AS_IS[1])}

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, O) of features (n, F)."""
        if self.b is not None:
            w = self.W.t()
            return affine(x, w, self.b) if self._own_kernels else functional.linear(x, w, self.b)
        # differences before squares: the expanded |x|^2 - 2xW + |W|^2 cancels digits
        distance = (x.unsqueeze(-1) - self.W).square().sum(-2)
        return distance if self.model.loss in REGRESSION else -distance

    def loss(self, x: torch.Tensor, placed: PlacedBatch) -> torch.Tensor:
        """The loss of features x (n, F), a scalar: its sum over valid entries over their count."""
        kind, targets = self.model.loss, placed.targets
        many = self.model.readout == "steps" or self.model.decoder is not None
        if kind == "cross_entropy" and self.b is not None and many and self._own_kernels:
            return ProjectedCrossEntropy.apply(x, self.W, self.b, targets, self._smoothing)
        scores = self(x)
        if kind == "cross_entropy":
            return functional.cross_entropy(scores, targets, label_smoothing=self._smoothing)
        if kind == "binary_cross_entropy":
            return functional.binary_cross_entropy_with_logits(scores, targets)
        if kind == "ctc":
            return ctc_loss(scores, placed)
        if kind == "squared":
            return functional.mse_loss(scores, targets)
        if kind == "absolute":
            return functional.l1_loss(scores, targets)
        raise UnsupportedError(f"torch has no loss {kind!r}; it has {', '.join(LOSSES)}")
