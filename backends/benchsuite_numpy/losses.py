"""The losses of packed scores (N, O), and their slopes, which take the scores' place.

Rows are worked on in blocks that stay in cache: with a large vocabulary the scores are the largest array of
all, and each pass over them would otherwise go to memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchsuite.schema import ModelSpec
from benchsuite_numpy.arrays import Array, DeviceContext, Workspace
from benchsuite_numpy.batches import Placed
from benchsuite_numpy.ctc import Ctc

BLOCK = 1 << 18
"""Bytes of scores in a block: with two temporaries of that size it fits in an L2 cache of a MiB."""


class Loss:
    """The model's loss; N is the batch's rows, its valid steps, or a decoder's targets."""

    def __init__(self, place: DeviceContext, model: ModelSpec, dtype: str) -> None:
        self._xp, self._on_gpu = place.xp, place.on_gpu
        self._arena = Workspace(place.xp, dtype)
        self._ctc = Ctc(place, dtype) if model.loss == "ctc" else None
        entrywise: dict[str, Callable[[Array, Array], Array]] = {
            "squared": self._squared,
            "absolute": self._absolute,
            "binary_cross_entropy": self._binary_cross_entropy,
        }
        self._entrywise = entrywise.get(model.loss)

    def __call__(self, batch: Placed, scores: Array) -> tuple[Array, Array]:
        """The mean loss, of no dimension and on the device, and dL/d(scores), in the memory of `scores`."""
        if self._ctc is not None:
            assert batch.labels is not None
            return self._ctc(batch.plan, batch.labels, scores)
        targets = batch.targets if batch.written is None else batch.written.targets
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
        """-ln softmax(scores)[target]; the slopes are softmax less one at the target."""
        xp, share = self._xp, 1 / len(scores)
        terms: list[Array] = []
        for rows in self._blocks(scores):
            part, labels = scores[rows], targets[rows]
            index = xp.arange(len(part))
            xp.subtract(part, part.max(axis=1, keepdims=True), out=part)
            picked = part[index, labels]
            xp.exp(part, out=part)
            total = part.sum(axis=1)
            terms.append((xp.log(total) - picked).sum())
            total *= len(scores)
            xp.multiply(part, (1 / total)[:, None], out=part)
            part[index, labels] -= share
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
        """softplus(s) - s y = max(s, 0) + ln(1 + exp(-|s|)) - s y; the slope is sig(s) - y."""
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
        return self._arena.views("work", 2 * [block.shape])
