"""The decoder of benchsuite.schema.Decoder: from the encoder's readout to the features that the head reads.

Time-major: U decoder steps, B rows, H hidden, F encoder outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from benchsuite.schema import Decoder, decoder_names
from benchsuite_tensorflow.attention import Memory, contexts, multiplicative
from benchsuite_tensorflow.cells import Cell, State, Tensor, cell_of
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.kernels import attention_loop
from benchsuite_tensorflow.kernels.recurrence import Recurrence
from benchsuite_tensorflow.loops import Loop


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
    additive attention, never."""

    decoder: Decoder
    dtype: str
    loop: Loop
    fused: Mapping[str, FusedLayer]

    @property
    def prefixes(self) -> list[str]:
        return decoder_names(self.decoder)

    @property
    def cell(self) -> Cell:
        return cell_of(self.decoder.body.cell)

    def start(self, weights: Mapping[str, Tensor], last: Tensor) -> list[State]:
        """s_0 = tanh(last bridge.W + bridge.b) of each layer, from `last` (B, F); an LSTM's c_0 is zero."""
        body = self.decoder.body
        bridge = tf.tanh(tf.nn.bias_add(last @ weights["bridge.W"], weights["bridge.b"]))
        zeros = [tf.zeros([last.shape[0], body.hidden], self.dtype)] * (self.cell.parts - 1)
        return [(h, *zeros) for h in tf.split(bridge, body.layers, 1)]

    def __call__(
        self,
        weights: Mapping[str, Tensor],
        last: Tensor,
        memory: Memory | None,
        targets: Tensor,
        training: bool,
        probes: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Features (U, B, H [+ F]) under teacher forcing, from targets (U, B). Rows run on past their last
        target: what follows is never read.

        :param probes: (U, B, H) by prefix, as in Recurrence.
        """
        x, initial = self._embedded(weights, targets), self.start(weights, last)
        if self.decoder.attention == "additive":
            assert memory is not None
            run = attention_loop.AttentionLoop(self.cell, self.loop, self.decoder.body.hidden, training)
            by_layer = [probes[prefix] for prefix in self.prefixes] if probes else []
            states, read = run(self._loop_inputs(weights, memory, x, initial), by_layer)
            return tf.concat([states, read], 2)
        x = self._stacked(weights, x, initial, training, probes)[-1]
        if memory is None:
            return x
        attention = multiplicative(weights, tf.transpose(x, [1, 0, 2]), memory)
        return tf.concat([x, tf.transpose(contexts(attention, memory), [1, 0, 2])], 2)

    def layer_outputs(
        self, weights: Mapping[str, Tensor], last: Tensor, memory: Memory | None, targets: Tensor
    ) -> dict[str, Tensor]:
        """h_t (U, B, H) of every layer by prefix under teacher forcing; no gradient flows through them."""
        x, initial = self._embedded(weights, targets), self.start(weights, last)
        if self.decoder.attention == "additive":
            assert memory is not None
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
    ) -> list[Tensor]:
        """h_t (U, B, H) of every layer, one layer after the other, from x (U, B, E)."""
        outputs: list[Tensor] = []
        for prefix, state in zip(self.prefixes, initial, strict=True):
            probe = probes[prefix] if probes else None
            x = self._layer(prefix, weights, x, state, probe, training)
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
    ) -> Tensor:
        own = self._weights(weights, prefix)
        if prefix in self.fused:
            return self.fused[prefix](x, own, initial)
        hidden = self.decoder.body.hidden
        run = Recurrence(self.cell, self.loop, hidden, to_inputs=True, cells=False, training=training)
        return run(x, own, initial, None, probe)[0]

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
