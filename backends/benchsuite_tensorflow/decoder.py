"""The decoder of benchsuite.schema.Decoder: from what the encoder read to the features that the head reads.

Time-major: U decoder steps, B rows, H hidden, F encoder outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from benchsuite.schema import Decoder, decoder_names
from benchsuite_tensorflow import attentive
from benchsuite_tensorflow.attention import Memory, multiplicative, read
from benchsuite_tensorflow.cells import CELLS, Cell, State, Tensor
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.loops import Loop
from benchsuite_tensorflow.recurrence import Recurrence


@dataclass(frozen=True)
class Step:
    """One token on: the layers' states, the head's features (N, H [+ F]), attention (N, T) where there is
    any."""

    states: list[State]
    features: Tensor
    attention: Tensor | None


@dataclass(frozen=True)
class Writer:
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
        return CELLS[self.decoder.body.cell]

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

        probes  (U, B, H) by prefix, as in Recurrence
        """
        start = tf.fill([1, targets.shape[1]], self.decoder.start)
        x = tf.gather(weights["target_embed.E"], tf.concat([start, targets[:-1]], 0))
        taps = [probes[prefix] for prefix in self.prefixes] if probes else []
        initial = self.start(weights, last)
        if self.decoder.attention == "additive":
            assert memory is not None
            run = attentive.Attentive(self.cell, self.loop, self.decoder.body.hidden, training)
            states, contexts = run(self._given(weights, memory, x, initial), taps)
            return tf.concat([states, contexts], 2)
        for index, prefix in enumerate(self.prefixes):
            x = self._layer(prefix, weights, x, initial[index], taps[index] if taps else None, training)
        if memory is None:
            return x
        attention = multiplicative(weights, tf.transpose(x, [1, 0, 2]), memory)
        return tf.concat([x, tf.transpose(read(attention, memory), [1, 0, 2])], 2)

    def step(
        self, weights: Mapping[str, Tensor], memory: Memory | None, tokens: Tensor, states: Sequence[State]
    ) -> Step:
        """One step of generation, from the latest tokens (N,) and the states before it."""
        x = tf.gather(weights["target_embed.E"], tokens)
        if self.decoder.attention == "additive":
            assert memory is not None
            given = self._given(weights, memory, x, states)
            prepared = [self.cell.prepare(layer) for layer in given.layers]
            after, _, seen = attentive.step(self.cell, given.attention, memory, prepared, given.ahead, states)
            features = tf.concat([after[-1][0], seen.context], 1)
            return Step(after, features, seen.attention)
        after = []
        for prefix, state in zip(self.prefixes, states, strict=True):
            moved, _ = self.cell.forward(self.cell.prepare(self._weights(weights, prefix)), x, state)
            x = moved[0]
            after.append(moved)
        if memory is None:
            return Step(after, x, None)
        attention = multiplicative(weights, x[:, None], memory)
        return Step(after, tf.concat([x, read(attention, memory)[:, 0]], 1), attention[:, 0])

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

    def _given(
        self, weights: Mapping[str, Tensor], memory: Memory, x: Tensor, initial: Sequence[State]
    ) -> attentive.Given:
        """What the attentive loop reads: the embeddings' product made here, over all steps at once."""
        bottom, *above = [self._weights(weights, prefix) for prefix in self.prefixes]
        from_embedding, from_context = tf.split(bottom[0], [self.decoder.embedding, memory.values.shape[2]])
        return attentive.Given(
            ahead=tf.tensordot(x, from_embedding, 1),
            memory=memory,
            attention=attentive.Attention(weights["attn.Wq"], weights["attn.v"]),
            layers=[[from_context, *bottom[1:]], *above],
            initial=initial,
        )
