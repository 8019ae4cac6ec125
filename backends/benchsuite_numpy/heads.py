"""Readout, output layer and loss, with samples as rows: (N, F) features, (N, O) scores.

N is the batch's rows, or with readout `steps` its valid steps, packed step after step.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.spec import ModelSpec, Rbf
from benchsuite_numpy.arrays import Arena, Array, Namespace
from benchsuite_numpy.batches import Placed
from benchsuite_numpy.cells.base import Slopes
from benchsuite_numpy.flat import Flat
from benchsuite_numpy.stack import Stack


class Readout:
    """From a stack's outputs to features and back."""

    def __init__(self, xp: Namespace, model: ModelSpec, stack: Stack, dtype: str) -> None:
        self._xp, self._kind, self._stack = xp, model.readout, stack
        self._arena = Arena(xp, dtype)

    def forward(self, batch: Placed, outputs: Sequence[Sequence[Array]]) -> Array:
        """Features (N, F); `outputs` by direction and t, (H, width)."""
        plan = batch.plan
        if self._kind == "last":
            return self._xp.concatenate(self._stack.last(plan, outputs)).T
        hidden = outputs[0][0].shape[0]
        if self._kind == "mean":
            total = self._arena.view("mean", (len(outputs) * hidden, plan.rows))
            total[...] = 0
            for index, way in enumerate(outputs):
                part = total[index * hidden : (index + 1) * hidden]
                for t, live in enumerate(plan.live):
                    target = part[:, :live]
                    self._xp.add(target, way[t][:, :live], out=target)
            self._xp.divide(total, batch.lengths, out=total)
            return total.T
        ends = plan.live_ends
        rows = self._arena.view("steps", (ends[-1], len(outputs) * hidden))
        for index, way in enumerate(outputs):
            for t, live in enumerate(plan.live):
                rows[ends[t] : ends[t + 1], index * hidden : (index + 1) * hidden] = way[t][:, :live].T
        return rows

    def backward(self, batch: Placed, d_features: Array, ways: int) -> list[Slopes]:
        """dL/d(outputs) by direction."""
        plan, hidden = batch.plan, d_features.shape[1] // ways
        parts = [d_features[:, way * hidden : (way + 1) * hidden] for way in range(ways)]
        if self._kind == "steps":
            ends = plan.live_ends
            return [
                [[(slice(0, live), part[ends[t] : ends[t + 1]].T)] for t, live in enumerate(plan.live)]
                for part in parts
            ]
        columns = [self._xp.ascontiguousarray(part.T) for part in parts]
        if self._kind == "mean":
            for part in columns:
                self._xp.divide(part, batch.lengths, out=part)
            return [[[(slice(0, live), part[:, :live])] for live in plan.live] for part in columns]
        forwards: Slopes = [
            [(rows, columns[0][:, rows])] if rows.start < rows.stop else [] for rows in plan.endings
        ]
        at_start: list[Slopes] = [
            [[(slice(0, plan.rows), part)] if t == 0 else [] for t in range(plan.time)]
            for part in columns[1:]
        ]
        return [forwards, *at_start]


class Head:
    """Output layer and loss."""

    def __init__(self, xp: Namespace, model: ModelSpec, flat: Flat) -> None:
        self._xp, self._loss, self._flat = xp, model.loss, flat
        self._rbf = isinstance(model.head, Rbf)
        self._sign = -1.0 if model.loss == "cross_entropy" else 1.0

    def forward(self, x: Array) -> Array:
        """Scores (N, O) of features (N, F)."""
        if not self._rbf:
            scores = self._xp.matmul(x, self._flat.value["out.W"])
            return self._xp.add(scores, self._flat.value["out.b"], out=scores)
        W = self._flat.value["rbf.W"]  # sum (x - w)^2 = |x|^2 - 2 x w + |w|^2
        scores = self._xp.matmul(x, W)
        scores *= -2
        scores += (x * x).sum(axis=1, keepdims=True)
        scores += (W * W).sum(axis=0)
        scores *= self._sign
        return scores

    def backward(self, x: Array, d_scores: Array) -> Array:
        """dL/dx (N, F); the head's gradients go to the flat vector."""
        xp, gradient = self._xp, self._flat.gradient
        if not self._rbf:
            xp.matmul(x.T, d_scores, out=gradient["out.W"])
            d_scores.sum(axis=0, out=gradient["out.b"])
            return xp.matmul(d_scores, self._flat.value["out.W"].T)
        W = self._flat.value["rbf.W"]
        d = d_scores * (2 * self._sign)
        xp.matmul(x.T, d, out=gradient["rbf.W"])
        xp.subtract(W * d.sum(axis=0), gradient["rbf.W"], out=gradient["rbf.W"])
        return x * d.sum(axis=1, keepdims=True) - xp.matmul(d, W.T)

    def loss(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """The mean loss, of no dimension and on the device, and dL/d(scores); `scores` is left as it is."""
        xp = self._xp
        count = scores.shape[0] if self._loss == "cross_entropy" else scores.size
        if self._loss == "cross_entropy":
            rows = xp.arange(count)
            shifted = scores - scores.max(axis=1, keepdims=True)
            picked = shifted[rows, targets]
            slopes = xp.exp(shifted, out=shifted)
            total = slopes.sum(axis=1, keepdims=True)
            value = (xp.log(total[:, 0]) - picked).sum() / count
            slopes /= total
            slopes[rows, targets] -= 1
        else:
            error = scores - targets
            squared = self._loss == "squared"
            value = ((error * error) if squared else xp.abs(error)).sum() / count
            slopes = 2 * error if squared else xp.sign(error)
        slopes /= count
        return value, slopes
