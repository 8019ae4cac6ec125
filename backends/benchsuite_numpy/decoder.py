"""The decoder under teacher forcing: from what the encoder read to what the head reads, and back.

Without attention, or with the one that comes after the recurrent step, the stack runs over the whole target in
one go. Additive attention is part of the recurrence, so there the layers go on together, step by step.
"""

from __future__ import annotations

from benchsuite.schema import ModelSpec, Recurrent
from benchsuite_numpy.arrays import Array, DeviceContext, Workspace
from benchsuite_numpy.attention import Additive, Multiplicative
from benchsuite_numpy.batches import Generated, Placed
from benchsuite_numpy.bridge import Bridge
from benchsuite_numpy.cells.base import Slopes
from benchsuite_numpy.embedding import Embedding
from benchsuite_numpy.flat import ParameterBuffer
from benchsuite_numpy.heads import sheet
from benchsuite_numpy.memory import Memory, remember, slopes_of
from benchsuite_numpy.stack import Stack, State


class Decoder:
    """Bridge, embedding, stack and attention."""

    def __init__(self, place: DeviceContext, model: ModelSpec, flat: ParameterBuffer) -> None:
        assert model.decoder is not None
        assert isinstance(model.body, Recurrent)
        self.spec, self._xp = model.decoder, place.xp
        kind, read = model.decoder.attention, model.body.output_size
        self._ways, self._hidden = len(model.body.directions), model.decoder.body.hidden
        self.additive = Additive(place, flat) if kind == "additive" else None
        self.multiplicative = Multiplicative(place, flat) if kind == "multiplicative" else None
        self.bridge = Bridge(place, flat, model.decoder.body)
        self.embedding = Embedding(place, flat, "target_embed.E")
        inputs = model.decoder.embedding + (read if kind == "additive" else 0)
        self.stack = Stack(place, flat, "dec", model.decoder.body, inputs, below=True)
        self._features = self._hidden + (0 if kind == "none" else read)
        self._arena = Workspace(place.xp, str(flat.values.dtype))

    def forward(self, batch: Placed, last: Array, outputs: list[list[Array]], keep: bool) -> Array:
        """Features (N, H + 1) or, with attention, (N, H + F + 1), the last column ones; `keep` for backward().

        last     the encoder's readout (B, F + 1), the last column ones
        outputs  its top outputs by direction and t, (F, width)
        """
        written = _written(batch)
        plan, hidden = written.plan, self._hidden
        states = self.bridge.forward(last, written.source)
        embedded = self.embedding.forward(written.fed, plan)
        features = sheet(self._arena, plan.live_ends[-1], self._features)
        contexts = features[:, hidden:-1]
        if self.additive is None:
            initial = {layer[0].prefix: state for layer, state in zip(self.stack.layers, states, strict=True)}
            (tops,) = self.stack.forward(plan, [embedded], initial, keep)
        else:
            memory = remember(self._xp, self._arena, batch, outputs, written.target)
            tops = self._forward_by_step(written, memory, embedded, states, contexts, keep)
        ends = plan.live_ends
        for t, live in enumerate(plan.live):
            features[ends[t] : ends[t + 1], :hidden] = tops[t][:, :live].T
        if self.multiplicative is not None:
            memory = remember(self._xp, self._arena, batch, outputs, written.target)
            self.multiplicative.forward(written, memory, features[:, :hidden], contexts)
        return features

    def _forward_by_step(
        self,
        written: Generated,
        memory: Memory,
        embedded: list[Array],
        states: list[State],
        contexts: Array,
        keep: bool,
    ) -> list[Array]:
        """The top layer's h (H, w) after every step; fills contexts (N, F)."""
        plan, attention = written.plan, self.additive
        assert attention is not None
        attention.start(plan, memory, keep)
        kernels = [layer[0] for layer in self.stack.layers]
        for kernel, state in zip(kernels, states, strict=True):
            kernel.start(plan, state, keep)
            kernel.prepare()
        ends, live = plan.live_ends, plan.live
        for t in range(plan.time):
            context = attention.forward(t, kernels[-1].steps[t].h)
            contexts[ends[t] : ends[t + 1]] = context[: live[t]]
            parts = [embedded[t], context.T]
            for kernel in kernels:
                kernel.go(kernel.steps[t], parts)
                parts = [kernel.steps[t].out]
        return kernels[-1].outputs()

    def backward(
        self, batch: Placed, features: Array, d_features: Array, record: bool
    ) -> tuple[Array, list[Slopes] | None, dict[str, list[Array]]]:
        """From dL/d(features): dL/d(last) (B, F), dL/d(outputs) by direction if there is attention, and with
        `record` dL/ds_t by prefix: for every t, (H, live rows). `d_features` is used up."""
        written, hidden = _written(batch), self._hidden
        plan = written.plan
        d_s, d_contexts = d_features[:, :hidden], d_features[:, hidden:]
        d_y: Array = None
        if self.multiplicative is not None:
            d_y = self.multiplicative.backward(written, features[:, :hidden], d_s, d_contexts)
        ends = plan.live_ends
        slopes: Slopes = [
            [(slice(0, live), d_s[ends[t] : ends[t + 1]].T)] for t, live in enumerate(plan.live)
        ]
        if self.additive is None:
            states, initial = self.stack.backward(plan, [slopes], None, record)
        else:
            states, initial, d_y = self._backward_by_step(written, slopes, d_contexts, record)
        size = self.spec.embedding
        found = [[part[:size] for part in way] for way in self.stack.input_gradients()]
        self.embedding.backward(written.fed, plan, found)
        d_last = self.bridge.backward(initial, written.target)
        return d_last, None if d_y is None else slopes_of(batch, d_y, written.target, self._ways), states

    def _backward_by_step(
        self, written: Generated, slopes: Slopes, d_contexts: Array, record: bool
    ) -> tuple[dict[str, list[Array]], list[Array], Array]:
        """dL/ds_t by prefix, dL/ds_0 by layer, dL/d(memory) (B, T, F)."""
        plan, attention, size = written.plan, self.additive, self.spec.embedding
        assert attention is not None
        attention.start_back()
        kernels = [layer[0] for layer in self.stack.layers]
        seen: list[list[Array] | None] = [[None] * plan.time if record else None for _ in kernels]
        states: list[State | None] = [None for _ in kernels]
        for kernel in kernels:
            kernel.sum.clear()
        ends, by_query = plan.live_ends, None
        for t in range(plan.time - 1, -1, -1):
            # the top layer's output is read by the head and was the query of the step after
            incoming = [*slopes[t], *([] if by_query is None else [(slice(0, by_query.shape[1]), by_query)])]
            for layer in range(len(kernels) - 1, -1, -1):
                step = kernels[layer].steps[t]
                states[layer] = kernels[layer].go_back(step, states[layer], incoming, seen[layer])
                incoming = [(slice(0, step.width), step.back[self._hidden :])]
            step = kernels[0].steps[t]
            d_context = step.back[self._hidden + size :]
            direct = d_context[:, : step.live]
            self._xp.add(direct, d_contexts[ends[t] : ends[t + 1]].T, out=direct)
            by_query = attention.backward(t, kernels[-1].steps[t].h, d_context)
        for kernel in kernels:
            kernel.sum.finish()
        initial = [state[0] for state in states if state is not None]
        self._xp.add(initial[-1], by_query, out=initial[-1])
        prefixes = [kernel.prefix for kernel in kernels]
        found = {prefix: part for prefix, part in zip(prefixes, seen, strict=True) if part is not None}
        return found, initial, attention.finish()


def _written(batch: Placed) -> Generated:
    assert batch.written is not None  # place() gave one, for the model has a decoder
    return batch.written
