"""Readout and output layer, with samples as rows: features (N, F + 1), the last column ones, scores (N, O).

N is the batch's rows, with readout `steps` its valid steps, packed step after step, and with a decoder its
targets, packed in the same way. The ones let one product do weights and bias, and another their gradients.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.schema import ModelSpec, Rbf
from benchsuite_numpy.arrays import Array, DeviceContext, Workspace
from benchsuite_numpy.batches import Placed
from benchsuite_numpy.cells.base import Slopes
from benchsuite_numpy.flat import ParameterBuffer
from benchsuite_numpy.stack import Stack


def sheet(arena: Workspace, rows: int, features: int) -> Array:
    """(rows, features + 1), uninitialised but for the ones in its last column."""
    found = arena.view("sheet", (rows, features + 1))
    found[:, -1] = 1
    return found


class Readout:
    """From a stack's outputs to features and back."""

    def __init__(self, place: DeviceContext, model: ModelSpec, stack: Stack, dtype: str) -> None:
        self._xp, self._kind, self._stack = place.xp, model.readout, stack
        self._arena = Workspace(place.xp, dtype)

    def forward(self, batch: Placed, outputs: Sequence[Sequence[Array]]) -> Array:
        """Features (N, F + 1); `outputs` by direction and t, (H, width)."""
        plan, hidden = batch.plan, outputs[0][0].shape[0]
        features = len(outputs) * hidden
        if self._kind == "steps":
            ends = plan.live_ends
            rows = sheet(self._arena, ends[-1], features)
            for index, way in enumerate(outputs):
                for t, live in enumerate(plan.live):
                    rows[ends[t] : ends[t + 1], index * hidden : (index + 1) * hidden] = way[t][:, :live].T
            return rows
        columns = self._arena.view("columns", (features + 1, plan.rows))
        columns[-1] = 1
        if self._kind == "last":
            self._xp.concatenate(self._stack.last(plan, outputs), out=columns[:-1])
            return columns.T
        columns[:-1] = 0
        for index, way in enumerate(outputs):
            part = columns[index * hidden : (index + 1) * hidden]
            for t, live in enumerate(plan.live):
                target = part[:, :live]
                self._xp.add(target, way[t][:, :live], out=target)
        self._xp.divide(columns[:-1], batch.lengths, out=columns[:-1])
        return columns.T

    def backward(self, batch: Placed, d_features: Array, ways: int) -> list[Slopes]:
        """dL/d(outputs) by direction, from dL/d(features) (N, F)."""
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
    """The output layer: dense, or Euclidean (`Rbf`)."""

    def __init__(self, place: DeviceContext, model: ModelSpec, flat: ParameterBuffer) -> None:
        self._xp = place.xp
        self._arena = Workspace(place.xp, str(flat.values.dtype))
        self._rbf = isinstance(model.head, Rbf)
        if self._rbf:
            self._W, self._dW = flat.value["rbf.W"], flat.gradient["rbf.W"]
        else:
            self._W, self._dW = flat.affine("out")
        self._sign = 1.0 if model.loss in ("squared", "absolute") else -1.0

    def forward(self, x: Array) -> Array:
        """Scores (N, O) of features (N, F + 1)."""
        scores = self._arena.view("scores", (len(x), self._W.shape[1]))
        if not self._rbf:
            return self._xp.matmul(x, self._W, out=scores)
        x, W = x[:, :-1], self._W  # sum (x - w)^2 = |x|^2 - 2 x w + |w|^2
        self._xp.matmul(x, W, out=scores)
        scores *= -2
        scores += (x * x).sum(axis=1, keepdims=True)
        scores += (W * W).sum(axis=0)
        scores *= self._sign
        return scores

    def backward(self, x: Array, d_scores: Array) -> Array:
        """dL/dx (N, F), without the ones; the head's gradients go to the flat vector."""
        xp, W = self._xp, self._W
        d_features = self._arena.view("d_features", (len(x), x.shape[1] - 1))
        if not self._rbf:
            xp.matmul(x.T, d_scores, out=self._dW)
            return xp.matmul(d_scores, W[:-1].T, out=d_features)
        x, d = x[:, :-1], d_scores * (2 * self._sign)
        xp.matmul(x.T, d, out=self._dW)
        xp.subtract(W * d.sum(axis=0), self._dW, out=self._dW)
        xp.matmul(d, W.T, out=d_features)
        return xp.subtract(x * d.sum(axis=1, keepdims=True), d_features, out=d_features)
