"""The contract's Decoding: the encoder's memory, kept, and the decoder's states of every hypothesis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Advance, Decoding
from benchsuite_numpy.attention import memory_of
from benchsuite_numpy.decoder import Decoder
from benchsuite_numpy.heads import Head, with_ones
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.layers import permuted
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.placement import PlacedBatch
from benchsuite_numpy.runtime import Array, DeviceContext

FEW = 16
"""Up to so many likeliest tokens are found one after the other, which is faster than to sort the vocabulary."""


class NumpyDecoding(Decoding):
    """B rows in the batch's own order, `width` hypotheses each, N in all. The memory is held once for a row."""

    def __init__(
        self,
        device: DeviceContext,
        decoder: Decoder,
        head: Head,
        batch: PlacedBatch,
        last: Array,
        outputs: Sequence[Sequence[Array]],
        width: int,
        aligned: bool,
    ) -> None:
        """`last` (B, F + 1) and `outputs` are the encoder's, in sorted order; nothing of them is held."""
        xp = device.xp
        self._device, self._decoder, self._head = device, decoder, head
        self._width, self._aligned, self._time = width, aligned, batch.time
        self._workspace = Workspace(xp, str(last.dtype))  # its own: the program goes on meanwhile
        rows = batch.plan.rows
        count = rows * width
        self._plan = Plan(count, (count,), (count,))
        self._states = decoder.bridge.forward(last, xp.asarray(np.repeat(np.argsort(batch.order), width)))
        if decoder.spec.attention != "none":
            self._memory = memory_of(xp, self._workspace, batch, outputs, xp.asarray(batch.order))
        if decoder.additive is not None:
            self._keys = decoder.additive.keys(self._memory, self._workspace)

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        with self._device.active():
            xp = self._device.xp
            at = xp.asarray(parents)
            states = [permuted(state, at) for state in self._states]
            scores, weights = self._step(states, xp.asarray(tokens))
            log_p, likeliest = self._likeliest(scores, k)
            alignment = None
            if self._aligned and weights is not None:
                alignment = np.zeros((len(tokens), self._time), scores.dtype)
                alignment[:, : weights.shape[1]] = self._device.host(weights)
            host = self._device.host
            return Advance(host(log_p), host(likeliest.astype("int32")), alignment)

    def _step(self, states: list[list[Array]], tokens: Array) -> tuple[Array, Array]:
        """Scores (N, V) and the attention (N, T), or None; `self._states` go on."""
        decoder, plan, hidden = self._decoder, self._plan, self._decoder.spec.body.hidden
        embedded = self._workspace.view("embedded", (plan.rows, decoder.spec.embedding))
        decoder.embedding.take(tokens, embedded)
        parts, context, weights = [embedded.T], None, None
        if decoder.additive is not None:
            context, weights = decoder.additive.attend(self._memory, self._keys, states[-1][0], self._width)
            parts.append(context.T)
        self._states = []
        for (kernel,), state in zip(decoder.stack.layers, states, strict=True):
            kernel.start(plan, state, keep=False)
            kernel.forward([[part] for part in parts])
            self._states.append([part.copy() for part in kernel.state_after(kernel.steps[0])])
            parts = [kernel.outputs()[0]]
        if decoder.multiplicative is not None:
            context, weights = decoder.multiplicative.attend(self._memory, parts[0], self._width)
        features = with_ones(
            self._workspace, plan.rows, hidden + (0 if context is None else context.shape[1])
        )
        features[:, :hidden] = parts[0].T
        if context is not None:
            features[:, hidden:-1] = context
        return self._head.forward(features), weights

    def _likeliest(self, scores: Array, k: int) -> tuple[Array, Array]:
        """ln p (N, k) in double precision and token (N, k) of each row's k largest scores, the largest first;
        of equal ones the smaller token. `scores` is used up."""
        xp, k = self._device.xp, min(k, scores.shape[1])
        if k > FEW:
            found = xp.argsort(-scores, axis=1, kind="stable")[:, :k]
            values = xp.take_along_axis(scores, found, axis=1)
        else:
            rows = xp.arange(len(scores))
            picked = []
            for _ in range(k):
                token = scores.argmax(axis=1)
                picked.append((token, scores[rows, token]))
                scores[rows, token] = -xp.inf
            for token, value in picked:
                scores[rows, token] = value
            found, values = (xp.stack(part, axis=1) for part in zip(*picked, strict=True))
        top = values[:, :1]
        xp.subtract(scores, top, out=scores)
        xp.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        return (values - top).astype("float64") - xp.log(total.astype("float64")), found
