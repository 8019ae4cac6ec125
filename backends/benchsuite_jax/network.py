"""A ModelSpec as pure functions: input -> body -> readout -> head -> loss, or body -> decoder -> head -> loss.

Sequences are time-major here, (T, B, D) or (T, B) ids, because a scan walks the leading axis; the
convolutional baseline takes (B, T, D). The program turns them at its border.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from benchsuite.schema import Convolutional, ModelSpec, Tokens, decoder_names, recurrent_names
from benchsuite_jax import convolution, heads
from benchsuite_jax.attention import Memory, remember
from benchsuite_jax.decoder import Writer
from benchsuite_jax.feed import Feed, valid_steps
from benchsuite_jax.loops import DECODER, ENCODER
from benchsuite_jax.stack import Parameters, Stack, States

Encoded = tuple[Memory | None, States]
"""What a decoder starts from: what it may look at (None without attention), and its first states."""


@dataclass(frozen=True)
class Network:
    """A model, how its loops are run, and where its encoder's states are detached."""

    model: ModelSpec
    unroll: str
    truncation: int | None
    precision: jax.lax.Precision

    @property
    def reader(self) -> Stack | None:
        """The recurrent body; None for the convolutional baseline."""
        body = self.model.body
        if isinstance(body, Convolutional):
            return None
        return Stack(body, recurrent_names(body), self.unroll, self.truncation, self.precision, ENCODER)

    @property
    def writer(self) -> Writer | None:
        """The decoder, which is never truncated; None where there is none."""
        decoder = self.model.decoder
        if decoder is None:
            return None
        names = decoder_names(decoder)
        return Writer(decoder, Stack(decoder.body, names, self.unroll, None, self.precision, DECODER))

    @property
    def scopes(self) -> tuple[str, ...]:
        """Names of the loops that a compiled pass of this model has."""
        return (ENCODER,) if self.model.decoder is None else (ENCODER, DECODER)

    def zero_states(self, rows: int, dtype: jnp.dtype) -> States:
        """The initial states of fresh sequences, by layer prefix; empty without recurrence."""
        return {} if self.reader is None else self.reader.zero_states(rows, dtype)

    def probes(self, feed: Feed, dtype: jnp.dtype) -> dict[str, jax.Array]:
        """Zeros to add to every emitted state, (T, B, H) or the decoder's (U, B, H), by layer prefix."""
        found: dict[str, jax.Array] = {}
        if self.reader is not None:
            shape = (*feed.inputs.shape[:2], self.reader.body.hidden)
            found |= {prefix: jnp.zeros(shape, dtype) for prefix in self.reader.prefixes}
        if self.writer is not None and feed.targets is not None:
            shape = (*feed.targets.shape, self.writer.stack.body.hidden)
            found |= {prefix: jnp.zeros(shape, dtype) for prefix in self.writer.stack.prefixes}
        return found

    def loss(
        self, p: Parameters, feed: Feed, initial: States, probes: Parameters | None = None
    ) -> tuple[jax.Array, tuple[jax.Array, States]]:
        """The loss, a scalar, beside the scores and the final states."""
        scores, final = self.scores(p, feed, initial, probes)
        return heads.mean_loss(self.model, scores, feed, self._valid_entries(feed)), (scores, final)

    def scores(
        self, p: Parameters, feed: Feed, initial: States, probes: Parameters | None = None
    ) -> tuple[jax.Array, States]:
        """Scores (B, O), (T, B, O) with readout `steps`, or (U, B, V) of a decoder under teacher forcing, zero
        on padding; the body's final states by prefix.

        `probes` by prefix (see `probes`) are added to the emitted h_t: their gradient at zero is dL/dh_t.
        """
        body, reader, writer = self.model.body, self.reader, self.writer
        if reader is None or isinstance(body, Convolutional):
            assert isinstance(body, Convolutional)
            return heads.scores(self.model, p, convolution.features(body, p, feed.inputs), None), {}
        outputs, final = self._read(reader, p, feed, initial, probes)
        if writer is None:
            features = self._readout(reader, outputs, final, feed.lengths)
        else:
            assert feed.targets is not None
            memory, states = self._encoded(reader, writer, p, outputs, final, feed)
            features = writer.teacher_forced(p, memory, states, feed.targets, probes)
        return heads.scores(self.model, p, features, self._valid_entries(feed)), final

    def encode(self, p: Parameters, feed: Feed, initial: States, width: int) -> Encoded:
        """What a decoder starts generating from, every row `width` times, side by side."""
        reader, writer = self.reader, self.writer
        assert reader is not None
        assert writer is not None
        outputs, final = self._read(reader, p, feed, initial, None)
        memory, states = self._encoded(reader, writer, p, outputs, final, feed)
        repeated = {
            prefix: tuple(jnp.repeat(part, width, axis=0) for part in s) for prefix, s in states.items()
        }
        return memory and memory.repeated(width), repeated

    def write(
        self, p: Parameters, memory: Memory | None, states: States, tokens: jax.Array
    ) -> tuple[States, jax.Array, jax.Array | None]:
        """One step of generation after `tokens` (N,): next states, scores (N, V), attention (N, T) or None."""
        assert self.writer is not None
        states, features, attention = self.writer.write(p, memory, states, tokens)
        return states, heads.scores(self.model, p, features, None), attention

    def _read(
        self, reader: Stack, p: Parameters, feed: Feed, initial: States, probes: Parameters | None
    ) -> tuple[jax.Array | None, States]:
        x, decoder = feed.inputs, self.model.decoder
        if isinstance(self.model.input, Tokens):
            x = p["embed.E"].at[x].get(mode="promise_in_bounds")
        attending = decoder is not None and decoder.attention != "none"
        emit = attending or self.model.readout != "last"
        return reader.run(p, x, initial, feed.lengths, probes, emit)

    def _encoded(
        self,
        reader: Stack,
        writer: Writer,
        p: Parameters,
        outputs: jax.Array | None,
        final: States,
        feed: Feed,
    ) -> Encoded:
        kind, memory = writer.decoder.attention, None
        if kind != "none":
            assert outputs is not None
            memory = remember(kind, p, outputs, valid_steps(len(outputs), feed.lengths))
        return memory, writer.start(p, reader.last(final))

    def _readout(
        self, reader: Stack, outputs: jax.Array | None, final: States, lengths: jax.Array | None
    ) -> jax.Array:
        """Features (B, F) or (T, B, F)."""
        if self.model.readout == "last" or outputs is None:
            return reader.last(final)
        if self.model.readout == "steps":
            return outputs
        if lengths is None:
            return jnp.mean(outputs, axis=0)
        return jnp.sum(outputs, axis=0) / lengths[:, None].astype(outputs.dtype)

    def _valid_entries(self, feed: Feed) -> jax.Array | None:
        """(T, B, 1) or (U, B, 1), true on real steps, where the scores have a padded time axis; else None."""
        valid = None
        if self.model.decoder is not None:
            assert feed.targets is not None
            valid = valid_steps(len(feed.targets), feed.target_lengths)
        elif self.model.readout == "steps":
            valid = valid_steps(len(feed.inputs), feed.lengths)
        return None if valid is None else valid[..., None]
