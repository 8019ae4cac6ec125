"""Readout and output layer, with samples as rows: features (N, F + 1), the last column ones, scores (N, O).

N is the batch's rows, with readout `steps` its valid steps, packed step after step, and with a decoder its
targets, packed likewise. The ones let one product do weights and bias, and another their gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import Dense, ModelSpec, Rbf
from benchsuite_numpy.cells.base import OutputGrads
from benchsuite_numpy.ctc import Ctc
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.layers import Stack
from benchsuite_numpy.placement import PlacedBatch
from benchsuite_numpy.runtime import Array, DeviceContext

BLOCK = 1 << 18
"""Bytes of scores in a block: with two temporaries of that size it fits in an L2 cache of a MiB."""


def with_ones(workspace: Workspace, rows: int, features: int) -> Array:
    """(rows, features + 1), uninitialised but for the ones in its last column."""
    found = workspace.view("with_ones", (rows, features + 1))
    found[:, -1] = 1
    return found


class Readout:
    """From a stack's outputs to features and back."""

    def __init__(self, device: DeviceContext, model: ModelSpec, stack: Stack, dtype: str) -> None:
        if model.readout not in ("last", "mean", "steps"):
            raise ContractError(unknown_name("readout", model.readout, ("last", "mean", "steps")))
        self._xp, self._kind, self._stack = device.xp, model.readout, stack
        self._workspace = Workspace(device.xp, dtype)

    def forward(self, batch: PlacedBatch, outputs: Sequence[Sequence[Array]]) -> Array:
        """Features (N, F + 1); `outputs` by direction and t, (H, width)."""
        plan, hidden = batch.plan, outputs[0][0].shape[0]
        features = len(outputs) * hidden
        if self._kind == "steps":
            ends = plan.live_ends
            rows = with_ones(self._workspace, ends[-1], features)
            for index, direction in enumerate(outputs):
                for t, live in enumerate(plan.live):
                    h = direction[t][:, :live]
                    rows[ends[t] : ends[t + 1], index * hidden : (index + 1) * hidden] = h.T
            return rows
        columns = self._workspace.view("columns", (features + 1, plan.rows))
        columns[-1] = 1
        if self._kind == "last":
            self._xp.concatenate(self._stack.last(plan, outputs), out=columns[:-1])
            return columns.T
        columns[:-1] = 0
        for index, direction in enumerate(outputs):
            part = columns[index * hidden : (index + 1) * hidden]
            for t, live in enumerate(plan.live):
                target = part[:, :live]
                self._xp.add(target, direction[t][:, :live], out=target)
        self._xp.divide(columns[:-1], batch.lengths, out=columns[:-1])
        return columns.T

    def backward(self, batch: PlacedBatch, d_features: Array, directions: int) -> list[OutputGrads]:
        """dL/d(outputs) by direction, from dL/d(features) (N, F)."""
        plan, hidden = batch.plan, d_features.shape[1] // directions
        parts = [d_features[:, hidden * each : hidden * (each + 1)] for each in range(directions)]
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
        forwards: OutputGrads = [
            [(rows, columns[0][:, rows])] if rows.start < rows.stop else [] for rows in plan.endings
        ]
        at_start: list[OutputGrads] = [
            [[(slice(0, plan.rows), part)] if t == 0 else [] for t in range(plan.time)]
            for part in columns[1:]
        ]
        return [forwards, *at_start]


class Head:
    """The output layer: dense, dense with the embedding's matrix (`tied`), or Euclidean (`Rbf`)."""

    def __init__(self, device: DeviceContext, model: ModelSpec, buffer: ParameterBuffer) -> None:
        self._xp = device.xp
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))
        self._rbf = isinstance(model.head, Rbf)
        self._tied = isinstance(model.head, Dense) and model.head.tied
        if self._rbf:
            self._W, self._dW = buffer.value["rbf.W"], buffer.gradient["rbf.W"]
        elif self._tied:
            self._W, self._dW = buffer.value["embed.E"].T, buffer.gradient["embed.E"].T
            self._b, self._db = buffer.value["out.b"], buffer.gradient["out.b"]
        else:
            self._W, self._dW = buffer.affine("out")
        self._sign = 1.0 if model.loss in ("squared", "absolute") else -1.0

    def forward(self, x: Array) -> Array:
        """Scores (N, O) of features (N, F + 1)."""
        scores = self._workspace.view("scores", (len(x), self._W.shape[1]))
        if self._tied:
            self._xp.matmul(x[:, :-1], self._W, out=scores)
            return self._xp.add(scores, self._b, out=scores)
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
        """dL/dx (N, F), without the ones; the head's gradients go to the buffer. A tied layer writes the
        gradient of the embedding's matrix, to which the embedding adds its own."""
        xp, W = self._xp, self._W
        d_features = self._workspace.view("d_features", (len(x), x.shape[1] - 1))
        if self._tied:
            xp.matmul(d_scores.T, x[:, :-1], out=self._dW.T)
            xp.sum(d_scores, axis=0, out=self._db)
            return xp.matmul(d_scores, W.T, out=d_features)
        if not self._rbf:
            xp.matmul(x.T, d_scores, out=self._dW)
            return xp.matmul(d_scores, W[:-1].T, out=d_features)
        x, d = x[:, :-1], d_scores * (2 * self._sign)
        xp.matmul(x.T, d, out=self._dW)
        xp.subtract(W * d.sum(axis=0), self._dW, out=self._dW)
        xp.matmul(d, W.T, out=d_features)
        return xp.subtract(x * d.sum(axis=1, keepdims=True), d_features, out=d_features)


class Loss:
    """The model's loss; N is the batch's rows, its valid steps, or a decoder's targets."""

    def __init__(self, device: DeviceContext, model: ModelSpec, dtype: str, smoothing: float = 0.0) -> None:
        """`smoothing`: under cross-entropy, the share of a target that is spread over all classes."""
        self._xp, self._on_gpu, self._smoothing = device.xp, device.on_gpu, smoothing
        self._workspace = Workspace(device.xp, dtype)
        self._ctc = Ctc(device, dtype) if model.loss == "ctc" else None
        entrywise: dict[str, Callable[[Array, Array], Array]] = {
            "squared": self._squared,
            "absolute": self._absolute,
            "binary_cross_entropy": self._binary_cross_entropy,
        }
        self._entrywise = entrywise.get(model.loss)
        if self._entrywise is None and model.loss not in ("cross_entropy", "ctc"):
            raise ContractError(unknown_name("loss", model.loss, [*entrywise, "cross_entropy", "ctc"]))

    def __call__(self, batch: PlacedBatch, scores: Array) -> tuple[Array, Array]:
        """The mean loss, of no dimension and on the device, and dL/d(scores), in the memory of `scores`."""
        if self._ctc is not None:
            assert batch.labels is not None
            return self._ctc(batch.plan, batch.labels, scores)
        targets = batch.targets if batch.decoder_targets is None else batch.decoder_targets.targets
        if self._entrywise is None:
            return self._cross_entropy(scores, targets), scores
        parts = [self._entrywise(scores[rows], targets[rows]) for rows in self._blocks(scores)]
        scale = 1 / scores.size
        self._xp.multiply(scores, scale, out=scores)
        return sum(parts[1:], parts[0]) * scale, scores

    def _blocks(self, scores: Array) -> Iterator[slice]:
        rows, size = len(scores), len(scores)
        if not self._on_gpu:
            size = max(1, BLOCK // (scores.itemsize * scores.shape[1]))
        return (slice(start, min(start + size, rows)) for start in range(0, rows, size))

    def _cross_entropy(self, scores: Array, targets: Array) -> Array:
        """-sum_k q_k ln softmax(scores)[k]; the grads are softmax less q, which without smoothing is one at the
        target."""
        xp, share, classes, smoothing = self._xp, 1 / len(scores), scores.shape[1], self._smoothing
        terms: list[Array] = []
        for rows in self._blocks(scores):
            part, labels = scores[rows], targets[rows]
            index = xp.arange(len(part))
            xp.subtract(part, part.max(axis=1, keepdims=True), out=part)
            picked = part[index, labels]
            if smoothing:
                picked = (1 - smoothing) * picked + smoothing * part.mean(axis=1)
            xp.exp(part, out=part)
            total = part.sum(axis=1)
            terms.append((xp.log(total) - picked).sum())
            total *= len(scores)
            xp.multiply(part, (1 / total)[:, None], out=part)
            part[index, labels] -= share * (1 - smoothing)
            if smoothing:
                xp.subtract(part, share * smoothing / classes, out=part)
        return sum(terms[1:], terms[0]) * share

    def _squared(self, s: Array, y: Array) -> Array:
        error, work = self._xp.subtract(s, y, out=s), self._work(s)[0]
        value = self._xp.multiply(error, error, out=work).sum()
        self._xp.multiply(error, 2, out=s)
        return value

    def _absolute(self, s: Array, y: Array) -> Array:
        error, work = self._xp.subtract(s, y, out=s), self._work(s)[0]
        value = self._xp.abs(error, out=work).sum()
        self._xp.sign(error, out=s)
        return value

    def _binary_cross_entropy(self, s: Array, y: Array) -> Array:
        """softplus(s) - s y = max(s, 0) + ln(1 + exp(-|s|)) - s y; the grad is sig(s) - y."""
        xp, (a, b) = self._xp, self._work(s)
        xp.abs(s, out=a)
        xp.negative(a, out=a)
        xp.exp(a, out=a)
        xp.log1p(a, out=a)
        xp.maximum(s, 0, out=b)
        xp.add(a, b, out=a)
        xp.multiply(s, y, out=b)
        xp.subtract(a, b, out=a)
        value = a.sum()
        xp.multiply(s, 0.5, out=s)  # sig(s) = tanh(s / 2) / 2 + 1 / 2
        xp.tanh(s, out=s)
        xp.multiply(s, 0.5, out=s)
        xp.add(s, 0.5, out=s)
        xp.subtract(s, y, out=s)
        return value

    def _work(self, block: Array) -> list[Array]:
        return self._workspace.views("work", 2 * [block.shape])
