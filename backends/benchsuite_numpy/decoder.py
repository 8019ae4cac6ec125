"""The decoder under teacher forcing: from what the encoder read to what the head reads, and back.

Without attention, or with the one that comes after the recurrent step, the stack runs over the whole target in
one go. Additive attention is part of the recurrence, so there the layers go on together, step by step.
"""

from __future__ import annotations

from benchsuite.schema import ModelSpec, Recurrent
from benchsuite.schema.cells import cell_named
from benchsuite_numpy.attention import Additive, Memory, Multiplicative, memory_of, output_grads
from benchsuite_numpy.cells.base import OutputGrads
from benchsuite_numpy.generic import GenericLayer
from benchsuite_numpy.heads import with_ones
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.layers import Embedding, LayerState, Stack
from benchsuite_numpy.placement import DecoderTargets, PlacedBatch
from benchsuite_numpy.runtime import Array, DeviceContext
from benchsuite_numpy.support import has_kernel


class Bridge:
    """Rows of the readout are in the inputs' order, those of the states in the decoder's."""

    def __init__(self, device: DeviceContext, buffer: ParameterBuffer, body: Recurrent) -> None:
        self._xp, self._layers = device.xp, body.layers
        self._rest = [part.initial for part in cell_named(body.cell).state[1:]]
        self._W, self._dW = buffer.affine("bridge")
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))

    def forward(self, last: Array, source: Array) -> list[LayerState]:
        """States by layer, (H, N) for every part; parts after the first have their initial values.

        last    (B, F + 1), the last column ones
        source  (N,): the readout's row for each of the decoder's
        """
        xp = self._xp
        self._last = last
        self._s = self._workspace.view("s", (self._W.shape[1], len(last)))
        xp.matmul(self._W.T, last.T, out=self._s)
        xp.tanh(self._s, out=self._s)
        pieces = xp.split(self._s[:, source], self._layers)
        return [[piece, *(xp.full_like(piece, value) for value in self._rest)] for piece in pieces]

    def backward(self, d_states: list[Array], target: Array) -> Array:
        """dL/d(last) (B, F) from dL/ds_0 (H, B) by layer; `target`: the decoder's row for each readout's."""
        xp = self._xp
        da = xp.concatenate(d_states)[:, target]
        xp.multiply(da, 1 - self._s * self._s, out=da)
        xp.matmul(self._last.T, da.T, out=self._dW)
        return xp.matmul(da.T, self._W[:-1].T)


class Decoder:
    """Bridge, embedding, stack and attention."""

    def __init__(
        self,
        device: DeviceContext,
        model: ModelSpec,
        buffer: ParameterBuffer,
        scan: bool = False,
        masked: bool = False,
    ) -> None:
        """`scan`: as a scan over time; with additive attention, a part of the recurrence, step by step.
        `masked`: whether there is recurrent dropout."""
        assert model.decoder is not None
        assert isinstance(model.body, Recurrent)
        self.spec, self._xp = model.decoder, device.xp
        kind, read = model.decoder.attention, model.body.output_size
        self._directions, self._hidden = len(model.body.directions), model.decoder.body.hidden
        self.additive = Additive(device, buffer) if kind == "additive" else None
        self.multiplicative = Multiplicative(device, buffer) if kind == "multiplicative" else None
        self.bridge = Bridge(device, buffer, model.decoder.body)
        self.embedding = Embedding(device, buffer, "target_embed.E")
        inputs = model.decoder.embedding + (read if kind == "additive" else 0)
        kernel = has_kernel(model, model.decoder.body, masked)
        scan = scan and kind != "additive"
        self.stack = Stack(device, buffer, "dec", model.decoder.body, inputs, True, kernel, scan, masked)
        self._features = self._hidden + (0 if kind == "none" else read)
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))

    def forward(self, batch: PlacedBatch, last: Array, outputs: list[list[Array]], keep: bool) -> Array:
        """Features (N, H + 1) or, with attention, (N, H + F + 1), the last column ones; `keep` for backward().

        last     the encoder's readout (B, F + 1), the last column ones
        outputs  its top outputs by direction and t, (F, width)
        """
        targets = _decoder_targets(batch)
        plan, hidden = targets.plan, self._hidden
        states = self.bridge.forward(last, targets.source)
        embedded = self.embedding.forward(targets.fed, plan)
        features = with_ones(self._workspace, plan.live_ends[-1], self._features)
        contexts = features[:, hidden:-1]
        masks = batch.masks if keep else {}
        if self.additive is None:
            initial = {layer[0].prefix: state for layer, state in zip(self.stack.layers, states, strict=True)}
            (tops,) = self.stack.forward(plan, [embedded], initial, keep, masks=masks)
        else:
            memory = memory_of(self._xp, self._workspace, batch, outputs, targets.target)
            self.stack.masks = masks
            (embedded,) = map(list, self.stack.dropped(0, [embedded]))
            tops = self._forward_by_step(targets, memory, embedded, states, contexts, keep)
        ends = plan.live_ends
        for t, live in enumerate(plan.live):
            features[ends[t] : ends[t + 1], :hidden] = tops[t][:, :live].T
        if self.multiplicative is not None:
            memory = memory_of(self._xp, self._workspace, batch, outputs, targets.target)
            self.multiplicative.forward(targets, memory, features[:, :hidden], contexts)
        return features

    def _forward_by_step(
        self,
        targets: DecoderTargets,
        memory: Memory,
        embedded: list[Array],
        states: list[LayerState],
        contexts: Array,
        keep: bool,
    ) -> list[Array]:
        """The top layer's h (H, w) after every step; fills contexts (N, F)."""
        plan, attention = targets.plan, self.additive
        assert attention is not None
        attention.start(plan, memory, keep)
        kernels = [layer[0] for layer in self.stack.layers]
        for kernel, state in zip(kernels, states, strict=True):
            if isinstance(kernel, GenericLayer):
                kernel.start(plan, state, keep, mask=self.stack.state_mask(kernel.prefix), stepwise=True)
            else:
                kernel.start(plan, state, keep)
            kernel.prepare()
        ends, live = plan.live_ends, plan.live
        for t in range(plan.time):
            context = attention.forward(t, kernels[-1].steps[t].h)
            contexts[ends[t] : ends[t + 1]] = context[: live[t]]
            parts = [embedded[t], context.T]
            for layer, kernel in enumerate(kernels):
                if layer:
                    parts = [part for (part,) in self.stack.dropped(layer, [[each] for each in parts])]
                kernel.forward_step(kernel.steps[t], parts)
                parts = [kernel.steps[t].out]
        tops: list[Array] = kernels[-1].outputs()
        return tops

    def backward(
        self, batch: PlacedBatch, features: Array, d_features: Array, record: bool
    ) -> tuple[Array, list[OutputGrads] | None, dict[str, list[Array]]]:
        """From dL/d(features): dL/d(last) (B, F), dL/d(outputs) by direction if there is attention, and with
        `record` dL/ds_t by prefix: for every t, (H, live rows). `d_features` is used up."""
        targets, hidden = _decoder_targets(batch), self._hidden
        plan = targets.plan
        d_s, d_contexts = d_features[:, :hidden], d_features[:, hidden:]
        d_y: Array = None
        if self.multiplicative is not None:
            d_y = self.multiplicative.backward(targets, features[:, :hidden], d_s, d_contexts)
        ends = plan.live_ends
        grads: OutputGrads = [
            [(slice(0, live), d_s[ends[t] : ends[t + 1]].T)] for t, live in enumerate(plan.live)
        ]
        if self.additive is None:
            states, initial = self.stack.backward(plan, [grads], None, record)
        else:
            states, initial, d_y = self._backward_by_step(targets, grads, d_contexts, record)
        size = self.spec.embedding
        found = [[part[:size] for part in direction] for direction in self.stack.input_gradients()]
        self.embedding.backward(targets.fed, plan, found)
        d_last = self.bridge.backward(initial, targets.target)
        return (
            d_last,
            None if d_y is None else output_grads(batch, d_y, targets.target, self._directions),
            states,
        )

    def _backward_by_step(
        self, targets: DecoderTargets, grads: OutputGrads, d_contexts: Array, record: bool
    ) -> tuple[dict[str, list[Array]], list[Array], Array]:
        """dL/ds_t by prefix, dL/ds_0 by layer, dL/d(memory) (B, T, F)."""
        plan, attention, size = targets.plan, self.additive, self.spec.embedding
        assert attention is not None
        attention.start_back()
        kernels = [layer[0] for layer in self.stack.layers]
        seen: list[list[Array] | None] = [[None] * plan.time if record else None for _ in kernels]
        states: list[LayerState | None] = [None for _ in kernels]
        for kernel in kernels:
            kernel.clear()
        ends = plan.live_ends
        for t in range(plan.time - 1, -1, -1):
            incoming = grads[t]
            for layer in range(len(kernels) - 1, -1, -1):
                step = kernels[layer].steps[t]
                states[layer] = kernels[layer].backward_step(step, states[layer], incoming, seen[layer])
                dx = kernels[layer].input_gradient(t)
                if layer:
                    ((dx,),) = self.stack.dropped(layer, [[dx]])
                incoming = [(slice(0, dx.shape[1]), dx)]
            step = kernels[0].steps[t]
            d_context = dx[size:]
            direct = d_context[:, : step.live]
            self._xp.add(direct, d_contexts[ends[t] : ends[t + 1]].T, out=direct)
            # the query was the top layer's state before the step
            by_query, before = attention.backward(t, kernels[-1].steps[t].h, d_context), states[-1]
            assert before is not None
            self._xp.add(before[0], by_query, out=before[0])
        for kernel in kernels:
            kernel.finish()
        initial = [state[0] for state in states if state is not None]
        prefixes = [kernel.prefix for kernel in kernels]
        found = {prefix: part for prefix, part in zip(prefixes, seen, strict=True) if part is not None}
        return found, initial, attention.finish()


def _decoder_targets(batch: PlacedBatch) -> DecoderTargets:
    assert batch.decoder_targets is not None  # place() gave one, for the model has a decoder
    return batch.decoder_targets
