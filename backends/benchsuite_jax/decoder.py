"""The decoder: what starts it, its steps under teacher forcing, and one step of generation.

No step is masked: beyond a row's target length its states go on, but nothing that is scored depends on them.
U decoder steps, B rows, H decoder hidden, F encoder outputs, T encoder steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.schema import Decoder
from benchsuite_jax.attention import Memory, attend, multiplicative
from benchsuite_jax.cells import Start, States
from benchsuite_jax.layers import Layers, Parameters, dropped


class TeacherForced(NamedTuple):
    """features: what the head reads, (U, B, H) or (U, B, H + F). layers: outputs (U, B, H) by prefix, of those
    that emitted them."""

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
        """Prefix of the layer whose output is scored, and whose state is additive attention's query."""
        return self.layers.prefixes[-1]

    def start(self, p: Parameters, last: jax.Array) -> States:
        """The state of every layer before the first step: its first part s_0 from the encoder's readout `last`
        (B, F), the others (an LSTM's c_0) at their initial values."""
        bridge = jnp.tanh(last @ p["bridge.W"] + p["bridge.b"])
        first = jnp.split(bridge, len(self.layers.prefixes), axis=1)
        others = self.layers.cell.initial_state(len(last), self.layers.body.hidden, last.dtype)[1:]
        return {prefix: (s, *others) for prefix, s in zip(self.layers.prefixes, first, strict=True)}

    def teacher_forced(
        self,
        p: Parameters,
        memory: Memory | None,
        states: States,
        targets: jax.Array,
        probes: Parameters | None,
        all_layers: bool = False,
        masks: Parameters = MappingProxyType({}),
    ) -> TeacherForced:
        """All steps, each fed the target (U, B) before its own.

        :param probes: (U, B, H) by prefix, added to the first part of the state after each step: their gradient
            is dL/ds_t.
        :param all_layers: every layer's outputs are asked for. :param masks: of dropout, by name.
        """
        before = jnp.full_like(targets[:1], self.decoder.start)
        u = self._embedded(p, jnp.concatenate([before, targets[:-1]]))
        if self.decoder.attention == "additive":
            return self._additive(p, memory, states, dropped(u, masks, "dec.l0.x"), probes, all_layers, masks)
        ran = self.layers.run(p, u, Start(states, 0.0), None, probes, emit=True, masks=masks)
        features = ran.outputs
        assert features is not None
        if memory is not None:
            features = jnp.concatenate([features, multiplicative(p, memory, features)[0]], axis=-1)
        return TeacherForced(features, ran.layers)

    def generate(self, p: Parameters, memory: Memory | None, states: States, tokens: jax.Array) -> Generated:
        """One step after `tokens` (B,)."""
        u = self._embedded(p, tokens)
        if self.decoder.attention == "additive":
            assert memory is not None
            context, attention = attend(p, memory, states[self.top][0])
            states, y = self.layers.advance(p, jnp.concatenate([u, context], axis=-1), states, {})
            return Generated(states, jnp.concatenate([y[self.top], context], axis=-1), attention)
        states, y = self.layers.advance(p, u, states, {})
        s = y[self.top]
        if memory is None:
            return Generated(states, s, None)
        (context,), (attention,) = multiplicative(p, memory, s[None])
        return Generated(states, jnp.concatenate([s, context], axis=-1), attention)

    def _embedded(self, p: Parameters, tokens: jax.Array) -> jax.Array:
        return p["target_embed.E"].at[tokens].get(mode="promise_in_bounds")

    def _additive(
        self,
        p: Parameters,
        memory: Memory | None,
        states: States,
        u: jax.Array,
        probes: Parameters | None,
        all_layers: bool,
        masks: Parameters,
    ) -> TeacherForced:
        """Features [s_t; context_t]. The context is part of the next input, so there is one loop over the steps
        with all layers inside."""
        assert memory is not None
        by_step = {} if probes is None else {prefix: probes[prefix] for prefix in self.layers.prefixes}

        def step(
            states: States, at: tuple[jax.Array, Parameters]
        ) -> tuple[States, tuple[jax.Array, dict[str, jax.Array]]]:
            context, _ = attend(p, memory, states[self.top][0])
            x = jnp.concatenate([at[0], context], axis=-1)
            states, y = self.layers.advance(p, x, states, at[1], masks)
            features = jnp.concatenate([y[self.top], context], axis=-1)
            # the gradient would run through what is emitted even where nobody reads it
            return states, (features, y if all_layers else {})

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
