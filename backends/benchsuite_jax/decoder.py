"""The decoder: what starts it, its steps under teacher forcing, and one step of generation.

No step is masked: beyond a row's target length its states go on, but nothing that is scored depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from benchsuite.schema import Decoder
from benchsuite_jax.attention import Memory, additive, multiplicative
from benchsuite_jax.stack import Parameters, Stack, States, weights


@dataclass(frozen=True)
class Writer:
    """A decoder and its stack of layers."""

    decoder: Decoder
    stack: Stack

    @property
    def top(self) -> str:
        """Prefix of the layer whose state is scored, and that attention is asked by."""
        return self.stack.prefixes[-1]

    def start(self, p: Parameters, last: jax.Array) -> States:
        """s_0 of every layer from the encoder's readout `last` (B, F); an LSTM's c_0 is zero."""
        bridge = jnp.tanh(last @ p["bridge.W"] + p["bridge.b"])
        first = jnp.split(bridge, len(self.stack.prefixes), axis=1)
        zero = (jnp.zeros_like(first[0]),) * (self.stack.cell.parts - 1)
        return {prefix: (s, *zero) for prefix, s in zip(self.stack.prefixes, first, strict=True)}

    def teacher_forced(
        self,
        p: Parameters,
        memory: Memory | None,
        states: States,
        targets: jax.Array,
        probes: Parameters | None,
    ) -> jax.Array:
        """What the head reads, (U, B, H) or (U, B, H + F), where each step is fed the target (U, B) before
        its own. `probes` (U, B, H) by prefix are added to the emitted s_t: their gradient is dL/ds_t."""
        before = jnp.full_like(targets[:1], self.decoder.start)
        u = self._embedded(p, jnp.concatenate([before, targets[:-1]]))
        if self.decoder.attention == "additive":
            return self._attending(p, memory, states, u, probes)
        outputs, _ = self.stack.run(p, u, states, None, probes, emit=True)
        assert outputs is not None
        if memory is None:
            return outputs
        return jnp.concatenate([outputs, multiplicative(p, memory, outputs)[0]], axis=-1)

    def write(
        self, p: Parameters, memory: Memory | None, states: States, tokens: jax.Array
    ) -> tuple[States, jax.Array, jax.Array | None]:
        """One step after `tokens` (B,): the next states, what the head reads (B, H) or (B, H + F), and the
        attention (B, T), None where there is none."""
        u = self._embedded(p, tokens)
        if self.decoder.attention == "additive":
            assert memory is not None
            context, attention = additive(p, memory, states[self.top][0])
            states = self._advance(p, jnp.concatenate([u, context], axis=-1), states, {})
            return states, jnp.concatenate([states[self.top][0], context], axis=-1), attention
        states = self._advance(p, u, states, {})
        s = states[self.top][0]
        if memory is None:
            return states, s, None
        (context,), (attention,) = multiplicative(p, memory, s[None])
        return states, jnp.concatenate([s, context], axis=-1), attention

    def _embedded(self, p: Parameters, tokens: jax.Array) -> jax.Array:
        return p["target_embed.E"].at[tokens].get(mode="promise_in_bounds")

    def _advance(self, p: Parameters, x: jax.Array, states: States, probes: Parameters) -> States:
        """Every layer by one step, bottom to top: x (B, I) enters the lowest one."""
        new: States = {}
        for prefix in self.stack.prefixes:
            state = self.stack.cell.advance(weights(p, prefix), x, states[prefix])
            if prefix in probes:
                state = (state[0] + probes[prefix], *state[1:])
            new[prefix], x = state, state[0]
        return new

    def _attending(
        self,
        p: Parameters,
        memory: Memory | None,
        states: States,
        u: jax.Array,
        probes: Parameters | None,
    ) -> jax.Array:
        """[s_t; context_t] (U, B, H + F) under additive attention, whose context is part of the next input:
        one loop over the steps, all layers inside."""
        assert memory is not None
        asked = {} if probes is None else {prefix: probes[prefix] for prefix in self.stack.prefixes}

        def step(states: States, at: tuple[jax.Array, Parameters]) -> tuple[States, jax.Array]:
            context, _ = additive(p, memory, states[self.top][0])
            states = self._advance(p, jnp.concatenate([at[0], context], axis=-1), states, at[1])
            return states, jnp.concatenate([states[self.top][0], context], axis=-1)

        with jax.named_scope(self.stack.scope):
            if self.stack.unroll != "static":
                return jax.lax.scan(step, states, (u, asked))[1]
            found = []
            for t in range(u.shape[0]):
                at = {prefix: probe[t] for prefix, probe in asked.items()}
                states, features = step(states, (u[t], at))
                found.append(features)
            return jnp.stack(found)
