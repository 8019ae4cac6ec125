"""The decoder of benchsuite.schema.Decoder: from the encoder's readout to the features that the head reads.

Time-major: U decoder steps, B rows, H hidden, F encoder outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import tensorflow as tf

from benchsuite.schema import Decoder, decoder_names
from benchsuite_tensorflow.attention import AttentionStep, Memory, attend, contexts, multiplicative
from benchsuite_tensorflow.cells import KernelCell, State, Tensor, cell_of
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.generic import CellCode, GenericLayer, LayerSteps, weights_of
from benchsuite_tensorflow.kernels import attention_loop
from benchsuite_tensorflow.kernels.recurrence import Recurrence
from benchsuite_tensorflow.layers import dropped
from benchsuite_tensorflow.loops import Loop, differentiated


@dataclass(frozen=True)
class Generated:
    """One token: the layers' next states, the head's features (N, H [+ F]), attention (N, T) where there is
    any."""

    states: list[State]
    features: Tensor
    attention: Tensor | None


@dataclass(frozen=True)
class DecoderLayers:
    """A decoder over canonical weights. `fused` layers run in place of `loop` where there are any: with
    additive attention, never.

    generic  how a layer of a cell without a kernel runs; None where the cell has one
    """

    decoder: Decoder
    dtype: str
    loop: Loop
    fused: Mapping[str, FusedLayer]
    generic: GenericLayer | None = None

    @property
    def prefixes(self) -> list[str]:
        return decoder_names(self.decoder)

    @property
    def cell(self) -> KernelCell:
        return cell_of(self.decoder.body.cell)

    @property
    def code(self) -> CellCode:
        return CellCode(self.decoder.body.cell, self.decoder.body.hidden)

    def start(self, weights: Mapping[str, Tensor], last: Tensor) -> list[State]:
        """s_0 = tanh(last bridge.W + bridge.b) of each layer, from `last` (B, F); the other parts of a state
        have their initial values (an LSTM's c_0 is zero)."""
        body = self.decoder.body
        bridge = tf.tanh(tf.nn.bias_add(last @ weights["bridge.W"], weights["bridge.b"]))
        others = self.code.start(last.shape[0], self.dtype)[1:]
        return [(h, *others) for h in tf.split(bridge, body.layers, 1)]

    def __call__(
        self,
        weights: Mapping[str, Tensor],
        last: Tensor,
        memory: Memory | None,
        targets: Tensor,
        training: bool,
        probes: Mapping[str, Tensor] | None = None,
        masks: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Features (U, B, H [+ F]) under teacher forcing, from targets (U, B). Rows run on past their last
        target: what follows is never read.

        :param probes: (U, B, H) by prefix, as in Recurrence. :param masks: of dropout.
        """
        x, initial = self._embedded(weights, targets), self.start(weights, last)
        x = dropped(x, masks, "dec.l0.x")
        if self.decoder.attention == "additive":
            assert memory is not None
            if self.generic is not None:
                contexts_read, *outputs = self._attending(weights, memory, x, initial, probes, masks)
                return tf.concat([outputs[-1], contexts_read], 2)
            run = attention_loop.AttentionLoop(self.cell, self.loop, self.decoder.body.hidden, training)
            by_layer = [probes[prefix] for prefix in self.prefixes] if probes else []
            states, read = run(self._loop_inputs(weights, memory, x, initial), by_layer)
            return tf.concat([states, read], 2)
        x = self._stacked(weights, x, initial, training, probes, masks)[-1]
        if memory is None:
            return x
        attention = multiplicative(weights, tf.transpose(x, [1, 0, 2]), memory)
        return tf.concat([x, tf.transpose(contexts(attention, memory), [1, 0, 2])], 2)

    def layer_outputs(
        self, weights: Mapping[str, Tensor], last: Tensor, memory: Memory | None, targets: Tensor
    ) -> dict[str, Tensor]:
        """y_t (U, B, H) of every layer by prefix under teacher forcing; no gradient flows through them."""
        x, initial = self._embedded(weights, targets), self.start(weights, last)
        if self.decoder.attention == "additive":
            assert memory is not None
            if self.generic is not None:
                outputs = self._attending(weights, memory, x, initial)[1:]
            else:
                run = attention_loop.AttentionLoop(self.cell, self.loop, self.decoder.body.hidden, False)
                outputs = run.layers(self._loop_inputs(weights, memory, x, initial))
        else:
            outputs = self._stacked(weights, x, initial, training=False)
        return dict(zip(self.prefixes, outputs, strict=True))

    def generate(
        self, weights: Mapping[str, Tensor], memory: Memory | None, tokens: Tensor, states: Sequence[State]
    ) -> Generated:
        """One step of generation, from the latest tokens (N,) and the states before it."""
        x = tf.gather(weights["target_embed.E"], tokens)
        if self.generic is not None:
            return self._generate_generic(weights, memory, x, states)
        if self.decoder.attention == "additive":
            assert memory is not None
            inputs = self._loop_inputs(weights, memory, x, states)
            prepared = [self.cell.prepare(layer) for layer in inputs.layers]
            after, _, attended = attention_loop.step(
                self.cell, inputs.attention, memory, prepared, inputs.precomputed, states
            )
            features = tf.concat([after[-1][0], attended.context], 1)
            return Generated(after, features, attended.attention)
        after = []
        for prefix, state in zip(self.prefixes, states, strict=True):
            new, _ = self.cell.forward(self.cell.prepare(self._weights(weights, prefix)), x, state)
            x = new[0]
            after.append(new)
        return self._read(weights, memory, x, after)

    def _generate_generic(
        self, weights: Mapping[str, Tensor], memory: Memory | None, x: Tensor, states: Sequence[State]
    ) -> Generated:
        """generate() from the embeddings x (N, E), by the cell's own code."""
        if self.decoder.attention != "additive":
            after, outputs = self._step(weights, x, states)
            return self._read(weights, memory, outputs[-1], after)
        assert memory is not None
        seen = self._attend(weights, memory, states)
        after, outputs = self._step(weights, tf.concat([x, seen.context], 1), states)
        return Generated(after, tf.concat([outputs[-1], seen.context], 1), seen.attention)

    @staticmethod
    def _read(
        weights: Mapping[str, Tensor], memory: Memory | None, x: Tensor, after: list[State]
    ) -> Generated:
        """A token's features from the top layer's output x (N, H): with multiplicative attention where there is
        a memory."""
        if memory is None:
            return Generated(after, x, None)
        attention = multiplicative(weights, x[:, None], memory)
        return Generated(after, tf.concat([x, contexts(attention, memory)[:, 0]], 1), attention[:, 0])

    def _embedded(self, weights: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """The embedding (U, B, E) of the token before each target."""
        start = tf.fill([1, targets.shape[1]], self.decoder.start)
        return tf.gather(weights["target_embed.E"], tf.concat([start, targets[:-1]], 0))

    def _stacked(
        self,
        weights: Mapping[str, Tensor],
        x: Tensor,
        initial: Sequence[State],
        training: bool,
        probes: Mapping[str, Tensor] | None = None,
        masks: Mapping[str, Tensor] | None = None,
    ) -> list[Tensor]:
        """y_t (U, B, H) of every layer, one layer after the other, from x (U, B, E)."""
        outputs: list[Tensor] = []
        for layer, (prefix, state) in enumerate(zip(self.prefixes, initial, strict=True)):
            probe, mask = probes[prefix] if probes else None, (masks or {}).get(f"{prefix}.h")
            x = dropped(x, masks, f"dec.l{layer}.x") if layer else x
            x = self._layer(prefix, weights, x, state, probe, training, mask)
            outputs.append(x)
        return outputs

    def _layer(
        self,
        prefix: str,
        weights: Mapping[str, Tensor],
        x: Tensor,
        initial: State,
        probe: Tensor | None,
        training: bool,
        mask: Tensor | None,
    ) -> Tensor:
        if self.generic is not None:
            steps = LayerSteps(initial, begins=False, probe=probe, mask=mask)
            return self.generic(x, weights_of(weights, prefix), steps)[0]
        own = self._weights(weights, prefix)
        if prefix in self.fused:
            return self.fused[prefix](x, own, initial)
        hidden = self.decoder.body.hidden
        run = Recurrence(self.cell, self.loop, hidden, to_inputs=True, cells=False, training=training)
        return run(x, own, initial, None, probe)[0]

    def _attending(
        self,
        weights: Mapping[str, Tensor],
        memory: Memory,
        x: Tensor,
        initial: Sequence[State],
        probes: Mapping[str, Tensor] | None = None,
        masks: Mapping[str, Tensor] | None = None,
    ) -> list[Tensor]:
        """The contexts (U, B, F) and every layer's y_t (U, B, H), by the cell's own code, attending before each
        step. TensorFlow differentiates it."""
        parts, loop, rows = self.code.parts, differentiated(self.loop), x.shape[1]

        def body(carry: list[Tensor], given: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            states = [tuple(carry[start : start + parts]) for start in range(0, len(carry), parts)]
            seen = self._attend(weights, memory, states)
            after, outputs = self._step(
                weights, tf.concat([given[0], seen.context], 1), states, given[1:], masks or {}
            )
            return [part for state in after for part in state], [seen.context, *outputs]

        carry = [part for state in initial for part in state]
        read = [loop.unpack(x), *(loop.unpack(probes[prefix]) for prefix in self.prefixes if probes)]
        widths = [memory.values.shape[2], *[self.decoder.body.hidden] * len(initial)]
        _, found = loop.run(body, carry, read, [[rows, width] for width in widths], backwards=False)
        return [loop.pack(steps) for steps in found]

    @staticmethod
    def _attend(weights: Mapping[str, Tensor], memory: Memory, states: Sequence[State]) -> AttentionStep:
        """Additive attention before a step, asked for with the top layer's hidden state."""
        return attend(weights["attn.Wq"], weights["attn.v"], states[-1][0], memory)

    def _step(
        self,
        weights: Mapping[str, Tensor],
        x: Tensor,
        states: Sequence[State],
        probes: Sequence[Tensor] = (),
        masks: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> tuple[list[State], list[Tensor]]:
        """One step of every layer by the cell's own code: the states after it, and the outputs (N, H)."""
        after, outputs = [], []
        for index, (prefix, state) in enumerate(zip(self.prefixes, states, strict=True)):
            own = weights_of(weights, prefix)
            if index:
                x = dropped(x, masks, f"dec.l{index}.x")
            u = self.code.inputs(own, x, tf.zeros([x.shape[0], 1], x.dtype))
            new = self.code.step(own, u, dropped(state[0], masks, f"{prefix}.h"), state)
            if probes:
                new = (new[0] + probes[index], *new[1:])
            x = self.code.output(own, u, new)
            after.append(new)
            outputs.append(x)
        return after, outputs

    def _weights(self, weights: Mapping[str, Tensor], prefix: str) -> list[Tensor]:
        return [weights[f"{prefix}.{name}"] for name in self.cell.weights]

    def _loop_inputs(
        self, weights: Mapping[str, Tensor], memory: Memory, x: Tensor, initial: Sequence[State]
    ) -> attention_loop.LoopInputs:
        """What the attention loop reads: the embeddings' product is made here, over all steps at once."""
        bottom, *above = [self._weights(weights, prefix) for prefix in self.prefixes]
        from_embedding, from_context = tf.split(bottom[0], [self.decoder.embedding, memory.values.shape[2]])
        return attention_loop.LoopInputs(
            precomputed=tf.tensordot(x, from_embedding, 1),
            memory=memory,
            attention=attention_loop.AttentionWeights(weights["attn.Wq"], weights["attn.v"]),
            layers=[[from_context, *bottom[1:]], *above],
            initial=initial,
        )
