"""A ModelSpec as pure functions: input -> body -> readout -> head -> loss, or body -> decoder -> head -> loss.

Sequences are time-major here, (T, B, D) or (T, B) ids; the convolutional baseline takes (B, T, D).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import READOUTS, Convolutional, ModelSpec, Tokens, decoder_names, recurrent_names
from benchsuite_jax import convolution, heads
from benchsuite_jax.attention import Memory, make_memory
from benchsuite_jax.cells import Start, States
from benchsuite_jax.decoder import DecoderLayers
from benchsuite_jax.layers import Layers, Parameters, Ran
from benchsuite_jax.loops import DECODER, ENCODER
from benchsuite_jax.placement import Feed, valid_steps

Encoded = tuple[Memory | None, States]
"""What a decoder starts from: the memory it attends to (None without attention), and its first states."""


class Forward(NamedTuple):
    """What a forward pass gives.

    scores  (B, O), (T, B, O) with readout `steps`, or (U, B, V) of a decoder under teacher forcing, zero on
            padding
    final   the body's final states; empty without recurrence
    layers  outputs (T, B, H) by prefix, a decoder's (U, B, H), of the layers that emitted them
    """

    scores: jax.Array
    final: States
    layers: dict[str, jax.Array]


@dataclass(frozen=True)
class Model:
    """A model, how its loops are run, where its encoder's states are detached, and how far a cross-entropy's
    targets are smoothed."""

    spec: ModelSpec
    unroll: str
    truncation: int | None
    precision: jax.lax.Precision
    smoothing: float = 0.0
    masked: bool = False
    """Whether there is recurrent dropout, which the kernels of the built-in cells do not have."""

    @property
    def encoder(self) -> Layers | None:
        """The recurrent body; None for the convolutional baseline."""
        body = self.spec.body
        if isinstance(body, Convolutional):
            return None
        names, resets = recurrent_names(body), self.spec.resets
        return Layers(body, names, self.unroll, self.truncation, self.precision, ENCODER, resets, self.masked)

    @property
    def decoder(self) -> DecoderLayers | None:
        """The decoder, which is never truncated; None where there is none."""
        decoder = self.spec.decoder
        if decoder is None:
            return None
        names = decoder_names(decoder)
        layers = Layers(decoder.body, names, self.unroll, None, self.precision, DECODER, masked=self.masked)
        return DecoderLayers(decoder, layers)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Names of the loops that a compiled pass of this model has."""
        return (ENCODER,) if self.spec.decoder is None else (ENCODER, DECODER)

    def fresh_start(self, rows: int, dtype: jnp.dtype) -> Start:
        """The body's initial states; none without recurrence."""
        return Start({}, 1.0) if self.encoder is None else self.encoder.fresh_start(rows, dtype)

    def probes(self, feed: Feed, dtype: jnp.dtype) -> dict[str, jax.Array]:
        """Zeros to add to every state's first part, (T, B, H) or the decoder's (U, B, H), by layer prefix."""
        found: dict[str, jax.Array] = {}
        if self.encoder is not None:
            shape = (*feed.inputs.shape[:2], self.encoder.body.hidden)
            found |= {prefix: jnp.zeros(shape, dtype) for prefix in self.encoder.prefixes}
        if self.decoder is not None and feed.targets is not None:
            shape = (*feed.targets.shape, self.decoder.layers.body.hidden)
            found |= {prefix: jnp.zeros(shape, dtype) for prefix in self.decoder.layers.prefixes}
        return found

    def loss(
        self, p: Parameters, feed: Feed, start: Start, probes: Parameters | None = None
    ) -> tuple[jax.Array, tuple[jax.Array, States]]:
        """The loss, a scalar; with it the scores and the final states."""
        found = self.forward(p, feed, start, probes)
        loss = heads.mean_loss(self.spec, found.scores, feed, self._valid_entries(feed), self.smoothing)
        return loss, (found.scores, found.final)

    def forward(
        self,
        p: Parameters,
        feed: Feed,
        start: Start,
        probes: Parameters | None = None,
        all_layers: bool = False,
    ) -> Forward:
        """A pass over the batch.

        :param probes: by prefix (see `probes`), added to the states after each step: their gradient at zero is
            dL/dh_t.
        :param all_layers: every layer's outputs are asked for.
        """
        body, encoder, decoder = self.spec.body, self.encoder, self.decoder
        if encoder is None or isinstance(body, Convolutional):
            assert isinstance(body, Convolutional)
            features = convolution.features(body, p, feed.inputs)
            return Forward(heads.scores(self.spec, p, features, None), {}, {})
        ran = self._encode(encoder, p, feed, start, probes, all_layers)
        layers = ran.layers
        if decoder is None:
            features = self._readout(ran, feed.lengths)
        else:
            assert feed.targets is not None
            memory, states = self._decoder_start(decoder, p, ran, feed)
            features, decoder_layers = decoder.teacher_forced(
                p, memory, states, feed.targets, probes, all_layers, feed.masks or {}
            )
            layers = layers | decoder_layers
        return Forward(heads.scores(self.spec, p, features, self._valid_entries(feed)), ran.final, layers)

    def layer_outputs(self, p: Parameters, feed: Feed, start: Start) -> dict[str, jax.Array]:
        """The outputs of every layer by prefix, zero on padding. A fused kernel gives the top layer's alone: a
        scan over the same weights is run instead."""
        looped = replace(self, unroll="dynamic") if self.unroll == "fused" else self
        found = looped.forward(p, feed, start, all_layers=True).layers
        if self.decoder is None or feed.targets is None:
            return found
        valid = valid_steps(len(feed.targets), feed.target_lengths)
        if valid is None:
            return found
        masked = {name: jnp.where(valid[..., None], found[name], 0) for name in self.decoder.layers.prefixes}
        return found | masked

    def encode(self, p: Parameters, feed: Feed, start: Start, width: int) -> Encoded:
        """What a decoder starts generating from, each row `width` times in succession."""
        encoder, decoder = self.encoder, self.decoder
        assert encoder is not None
        assert decoder is not None
        ran = self._encode(encoder, p, feed, start, None, all_layers=False)
        memory, states = self._decoder_start(decoder, p, ran, feed)
        repeated = {
            prefix: tuple(jnp.repeat(part, width, axis=0) for part in s) for prefix, s in states.items()
        }
        return memory and memory.repeated(width), repeated

    def generate(
        self, p: Parameters, memory: Memory | None, states: States, tokens: jax.Array
    ) -> tuple[States, jax.Array, jax.Array | None]:
        """One step of generation after `tokens` (N,): next states, scores (N, V), attention (N, T) or None."""
        assert self.decoder is not None
        states, features, attention = self.decoder.generate(p, memory, states, tokens)
        return states, heads.scores(self.spec, p, features, None), attention

    def _encode(
        self,
        encoder: Layers,
        p: Parameters,
        feed: Feed,
        start: Start,
        probes: Parameters | None,
        all_layers: bool,
    ) -> Ran:
        x, decoder = feed.inputs, self.spec.decoder
        if isinstance(self.spec.input, Tokens):
            x = p["embed.E"].at[x].get(mode="promise_in_bounds")
        attends = decoder is not None and decoder.attention != "none"
        emit = all_layers or attends or self.spec.readout != "last"
        return encoder.run(p, x, start, feed.lengths, probes, emit, feed.resets, feed.masks or {})

    def _decoder_start(self, decoder: DecoderLayers, p: Parameters, ran: Ran, feed: Feed) -> Encoded:
        memory = None
        if ran.outputs is not None:
            valid = valid_steps(len(ran.outputs), feed.lengths)
            memory = make_memory(decoder.decoder.attention, p, ran.outputs, valid)
        return memory, decoder.start(p, ran.last)

    def _readout(self, ran: Ran, lengths: jax.Array | None) -> jax.Array:
        """Features (B, F) or (T, B, F)."""
        readout, outputs = self.spec.readout, ran.outputs
        if readout == "last":
            return ran.last
        if readout not in READOUTS or outputs is None:
            raise ContractError(unknown_name("readout", readout, READOUTS))
        if readout == "steps":
            return outputs
        if lengths is None:
            return jnp.mean(outputs, axis=0)
        return jnp.sum(outputs, axis=0) / lengths[:, None].astype(outputs.dtype)

    def _valid_entries(self, feed: Feed) -> jax.Array | None:
        """(T, B, 1) or (U, B, 1), true on real steps, where the scores have a padded time axis; else None."""
        valid = None
        if self.spec.decoder is not None:
            assert feed.targets is not None
            valid = valid_steps(len(feed.targets), feed.target_lengths)
        elif self.spec.readout == "steps":
            valid = valid_steps(len(feed.inputs), feed.lengths)
        return None if valid is None else valid[..., None]
