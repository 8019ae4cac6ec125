"""The decoder: what starts it, its steps under teacher forcing, and one step of generation.

No step is masked: beyond a row's target length its states go on, but nothing that is scored depends on them.
U decoder steps, B rows, H decoder hidden, F encoder outputs, T encoder steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.schema import Decoder
from benchsuite_jax.attention import Memory, attend, multiplicative
from benchsuite_jax.cells import States
from benchsuite_jax.layers import Layers, Parameters, weights


class TeacherForced(NamedTuple):
    """features: what the head reads, (U, B, H) or (U, B, H + F). layers: h_t (U, B, H) by prefix, of
    those that emitted them."""

    features: jax.Array
    layers: dict[str, jax.Array]


class Generated(NamedTuple):
    """One step: the next states, what the head reads (B, H) or (B, H + F), and the attention (B, T), None where
    there is none."""

    states: States
    features: jax.Array
    attention: jax.Array | None


@dataclass(frozen=True)
class DecoderLayers:
    """A decoder and its layers."""

    decoder: Decoder
    layers: Layers

    @property
    def top(self) -> str:
        """Prefix of the layer whose state is scored, and is attention's query."""
        return self.layers.prefixes[-1]

    def start(self, p: Parameters, last: jax.Array) -> States:
        """s_0 of every layer from the encoder's readout `last` (B, F); an LSTM's c_0 is zero."""
        bridge = jnp.tanh(last @ p["bridge.W"] + p["bridge.b"])
        first = jnp.split(bridge, len(self.layers.prefixes), axis=1)
        zero = (jnp.zeros_like(first[0]),) * (self.layers.cell.parts - 1)
        return {prefix: (s, *zero) for prefix, s in zip(self.layers.prefixes, first, strict=True)}

    def teacher_forced(
        self,
        p: Parameters,
        memory: Memory | None,
        states: States,
        targets: jax.Array,
        probes: Parameters | None,
        all_layers: bool = False,
    ) -> TeacherForced:
        """All steps, each fed the target (U, B) before its own.

        :param probes: (U, B, H) by prefix, added to the emitted s_t: their gradient is dL/ds_t.
        :param all_layers: every layer's h_t is asked for.
        """
        before = jnp.full_like(targets[:1], self.decoder.start)
        u = self._embedded(p, jnp.concatenate([before, targets[:-1]]))
        if self.decoder.attention == "additive":
            return self._additive(p, memory, states, u, probes, all_layers)
        outputs, _, layers = self.layers.run(p, u, states, None, probes, emit=True)
        assert outputs is not None
        if memory is not None:
            outputs = jnp.concatenate([outputs, multiplicative(p, memory, outputs)[0]], axis=-1)
        return TeacherForced(outputs, layers)

    def generate(self, p: Parameters, memory: Memory | None, states: States, tokens: jax.Array) -> Generated:
        """One step after `tokens` (B,)."""
        u = self._embedded(p, tokens)
        if self.decoder.attention == "additive":
            assert memory is not None
            context, attention = attend(p, memory, states[self.top][0])
            states = self._advance(p, jnp.concatenate([u, context], axis=-1), states, {})
            return Generated(states, jnp.concatenate([states[self.top][0], context], axis=-1), attention)
        states = self._advance(p, u, states, {})
        s = states[self.top][0]
        if memory is None:
            return Generated(states, s, None)
        (context,), (attention,) = multiplicative(p, memory, s[None])
        return Generated(states, jnp.concatenate([s, context], axis=-1), attention)

    def _embedded(self, p: Parameters, tokens: jax.Array) -> jax.Array:
        return p["target_embed.E"].at[tokens].get(mode="promise_in_bounds")

    def _advance(self, p: Parameters, x: jax.Array, states: States, probes: Parameters) -> States:
        """Every layer by one step, bottom to top: x (B, I) enters the lowest one."""
        new: States = {}
        for prefix in self.layers.prefixes:
            state = self.layers.cell.advance(weights(p, prefix), x, states[prefix])
            if prefix in probes:
                state = (state[0] + probes[prefix], *state[1:])
            new[prefix], x = state, state[0]
        return new

    def _additive(
        self,
        p: Parameters,
        memory: Memory | None,
        states: States,
        u: jax.Array,
        probes: Parameters | None,
        all_layers: bool,
    ) -> TeacherForced:
        """Features [s_t; context_t]. The context is part of the next input, so there is one loop over the steps
        with all layers inside."""
        assert memory is not None
        by_step = {} if probes is None else {prefix: probes[prefix] for prefix in self.layers.prefixes}

        def step(
            states: States, at: tuple[jax.Array, Parameters]
        ) -> tuple[States, tuple[jax.Array, dict[str, jax.Array]]]:
            context, _ = attend(p, memory, states[self.top][0])
            states = self._advance(p, jnp.concatenate([at[0], context], axis=-1), states, at[1])
            h = {prefix: state[0] for prefix, state in states.items()}
            features = jnp.concatenate([h[self.top], context], axis=-1)
            # the gradient would run through what is emitted even where nobody reads it
            return states, (features, h if all_layers else {})

        with jax.named_scope(self.layers.scope):
            if self.layers.unroll != "static":
                return TeacherForced(*jax.lax.scan(step, states, (u, by_step))[1])
            found = []
            for t in range(u.shape[0]):
                states, emitted = step(
                    states, (u[t], {prefix: probe[t] for prefix, probe in by_step.items()})
                )
                found.append(emitted)
            return TeacherForced(*jax.tree.map(lambda *parts: jnp.stack(parts), *found))
