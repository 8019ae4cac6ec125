"""The whole model over the kernels: a placed batch in, scores, loss and gradients out.

Nothing here is copied to the host: arrays are the kernels' own memory, which the next pass overwrites.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.schema import Convolutional, Dense, ModelSpec, Tokens
from benchsuite_numpy.convolution import Convolution
from benchsuite_numpy.decoder import Decoder
from benchsuite_numpy.heads import Head, Loss, Readout
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.layers import Embedding, LayerState, Stack, permuted
from benchsuite_numpy.placement import PlacedBatch
from benchsuite_numpy.runtime import Array, DeviceContext
from benchsuite_numpy.support import has_kernel

States = Mapping[str, LayerState]
"""Of the forward layers by prefix, rows in the batch's own order."""


class Model:
    """Embedding, body, readout, decoder, head and loss, whose parameters lie in `buffer`."""

    def __init__(
        self,
        device: DeviceContext,
        spec: ModelSpec,
        buffer: ParameterBuffer,
        smoothing: float = 0.0,
        scan: bool = False,
        masked: bool = False,
    ) -> None:
        """`smoothing` of a cross-entropy's targets. `scan`: recurrent layers run as a scan over time. `masked`:
        whether there is recurrent dropout."""
        self._xp, dtype = device.xp, str(buffer.values.dtype)
        self._embedding: Embedding | None = None
        self.decoder: Decoder | None = None
        self.convolution: Convolution | None = None
        self.head = Head(device, spec, buffer)
        self._loss = Loss(device, spec, dtype, smoothing)
        if isinstance(spec.body, Convolutional):
            self.convolution = Convolution(device, spec.body, buffer)
            return
        tokens = isinstance(spec.input, Tokens)
        if tokens:
            tied = isinstance(spec.head, Dense) and spec.head.tied
            self._embedding = Embedding(device, buffer, "embed.E", shared=tied)
        kernel = has_kernel(spec, spec.body, masked)
        self._stack = Stack(device, buffer, "rnn", spec.body, spec.input_size, tokens, kernel, scan, masked)
        self._readout = Readout(device, spec, self._stack, dtype)
        self._directions = len(spec.body.directions)
        if spec.decoder is not None:
            self.decoder = Decoder(device, spec, buffer, scan, masked)

    def forward(self, batch: PlacedBatch, state: States | None, *, keep: bool) -> tuple[Array, Array]:
        """What the head reads, (N, F + 1), the last column ones, and the scores (N, O); `keep` for
        backward()."""
        features = self._features(batch, state, keep=keep)
        return features, self.head.forward(features)

    def loss(self, batch: PlacedBatch, scores: Array) -> tuple[Array, Array]:
        """The batch's loss, of no dimension, and dL/d(scores), in the memory of `scores`."""
        return self._loss(batch, scores)

    def backward(
        self, batch: PlacedBatch, features: Array, d_scores: Array, truncation: int | None, *, record: bool
    ) -> dict[str, list[Array]]:
        """All gradients into the buffer. With `record`, dL/dh_t by layer prefix: for every t, (H, live
        rows)."""
        d_features = self.head.backward(features, d_scores)
        if self.convolution is not None:
            self.convolution.backward(d_features)
            return {}
        decoder_states: dict[str, list[Array]] = {}
        by_attention = None
        if self.decoder is not None:
            d_features, by_attention, decoder_states = self.decoder.backward(
                batch, features, d_features, record
            )
        grads = self._readout.backward(batch, d_features, self._directions)
        if by_attention is not None:
            grads = [
                [[*a, *b] for a, b in zip(direction, others, strict=True)]
                for direction, others in zip(grads, by_attention, strict=True)
            ]
        states, _ = self._stack.backward(batch.plan, grads, truncation, record)
        if self._embedding is not None:
            assert batch.ids is not None
            self._embedding.backward(batch.ids, batch.plan, self._stack.input_gradients())
        return states | decoder_states

    def final_states(self, batch: PlacedBatch) -> dict[str, LayerState]:
        """Of the latest forward pass: each row's state after its last step, as copies."""
        back = self._xp.asarray(batch.inverse)
        return {
            prefix: permuted(state, back) for prefix, state in self._stack.final_states(batch.plan).items()
        }

    def layer_outputs(self, batch: PlacedBatch) -> dict[str, list[Array]]:
        """Of the latest forward pass: y_t by layer prefix, for every t, (H, live rows)."""
        if self.convolution is not None:
            return {}
        found = self._stack.outputs(batch.plan)
        if self.decoder is not None:
            assert batch.decoder_targets is not None
            found |= self.decoder.stack.outputs(batch.decoder_targets.plan)
        return found

    def encoded(self, batch: PlacedBatch) -> tuple[Array, list[list[Array]]]:
        """The encoder's readout (B, F + 1) and its top outputs by direction and t, (H, width)."""
        outputs = self._outputs(batch, None, keep=False)
        return self._readout.forward(batch, outputs), outputs

    def _features(self, batch: PlacedBatch, state: States | None, *, keep: bool) -> Array:
        if self.convolution is not None:
            return self.convolution.forward(batch.pictures)
        outputs = self._outputs(batch, state, keep=keep)
        features = self._readout.forward(batch, outputs)
        if self.decoder is None:
            return features
        return self.decoder.forward(batch, features, outputs, keep)

    def _outputs(self, batch: PlacedBatch, state: States | None, *, keep: bool) -> list[list[Array]]:
        """The recurrent body's top outputs by direction and t, (H, width)."""
        initial: dict[str, LayerState] = {}
        if state is not None:
            order = self._xp.asarray(batch.order)
            initial = {prefix: permuted(parts, order) for prefix, parts in state.items()}
        sources = [batch.inputs]
        if self._embedding is not None:
            assert batch.ids is not None
            sources = [self._embedding.forward(batch.ids, batch.plan)]
        masks = batch.masks if keep else {}
        return self._stack.forward(batch.plan, sources, initial, keep, batch.resets, masks)
