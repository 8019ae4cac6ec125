"""A ModelSpec as pure functions: input -> body -> readout -> head -> loss.

Sequences are time-major here, (T, B, D) or (T, B) ids, because a scan walks the leading axis; the
convolutional baseline takes (B, T, D). The program turns them at its border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from benchsuite.spec import Convolutional, ModelSpec, Recurrent, Tokens, recurrent_names
from benchsuite_jax import convolution, fused, heads
from benchsuite_jax.cells import CELLS, State, zero_state
from benchsuite_jax.loops import Walk, run_layer

Parameters = Mapping[str, jax.Array]
States = dict[str, State]


@dataclass(frozen=True)
class Network:
    """A model, how its loops are run, and where its states are detached."""

    model: ModelSpec
    unroll: str
    truncation: int | None
    precision: jax.lax.Precision

    def zero_states(self, rows: int, dtype: jnp.dtype) -> States:
        """The initial states of fresh sequences, by layer prefix; empty without recurrence."""
        body = self.model.body
        if isinstance(body, Convolutional):
            return {}
        return {prefix: zero_state(body.cell, rows, body.hidden, dtype) for prefix in recurrent_names(body)}

    def loss(
        self,
        p: Parameters,
        inputs: jax.Array,
        lengths: jax.Array | None,
        targets: jax.Array,
        initial: States,
        probes: Parameters | None = None,
    ) -> tuple[jax.Array, tuple[jax.Array, States]]:
        """The loss, a scalar, beside the scores and the final states."""
        scores, final = self.scores(p, inputs, lengths, initial, probes)
        loss = heads.mean_loss(self.model, scores, targets, self._valid_entries(inputs, lengths))
        return loss, (scores, final)

    def scores(
        self,
        p: Parameters,
        inputs: jax.Array,
        lengths: jax.Array | None,
        initial: States,
        probes: Parameters | None = None,
    ) -> tuple[jax.Array, States]:
        """Scores (B, O), or (T, B, O) with readout `steps`, zero on padding; final states by prefix.

        `probes` (T, B, H) by prefix are added to the emitted h_t (see loops.run_layer).
        """
        body = self.model.body
        if isinstance(body, Convolutional):
            return heads.scores(self.model, p, convolution.features(body, p, inputs), None), {}
        x = inputs
        if isinstance(self.model.input, Tokens):
            x = p["embed.E"].at[inputs].get(mode="promise_in_bounds")
        if self.unroll == "fused" and probes is None:
            outputs, final = fused.run_stack(body, p, x, initial, lengths, self.precision)
        else:
            outputs, final = self._stack(body, p, x, lengths, initial, probes)
        features = self._readout(body, outputs, final, lengths)
        return heads.scores(self.model, p, features, self._valid_entries(inputs, lengths)), final

    def _stack(
        self,
        body: Recurrent,
        p: Parameters,
        x: jax.Array,
        lengths: jax.Array | None,
        initial: States,
        probes: Parameters | None,
    ) -> tuple[jax.Array | None, States]:
        final: States = {}
        outputs: jax.Array | None = x
        for layer in range(body.layers):
            emit = layer + 1 < body.layers or self.model.readout != "last"
            emitted = []
            for way in body.directions:
                prefix = f"rnn.l{layer}.{way}"
                weights = {name.rpartition(".")[2]: p[name] for name in p if name.startswith(f"{prefix}.")}
                walk = Walk(self.unroll == "static", way == "bwd", self.truncation, emit)
                probe = probes[prefix] if probes is not None else None
                output, final[prefix] = run_layer(
                    CELLS[body.cell], weights, outputs, initial[prefix], lengths, probe, walk
                )
                emitted.append(output)
            outputs = jnp.concatenate(emitted, axis=-1) if emit else None
        return outputs, final

    def _readout(
        self, body: Recurrent, outputs: jax.Array | None, final: States, lengths: jax.Array | None
    ) -> jax.Array:
        """Features (B, F) or (T, B, F). `last`: the final h, frozen since each row's last step."""
        if self.model.readout == "last" or outputs is None:
            top = [final[f"rnn.l{body.layers - 1}.{way}"][0] for way in body.directions]
            return jnp.concatenate(top, axis=-1)
        if self.model.readout == "steps":
            return outputs
        if lengths is None:
            return jnp.mean(outputs, axis=0)
        return jnp.sum(outputs, axis=0) / lengths[:, None].astype(outputs.dtype)

    def _valid_entries(self, inputs: jax.Array, lengths: jax.Array | None) -> jax.Array | None:
        """(T, B, 1), true on real steps, where the scores have a padded time axis; else None."""
        if lengths is None or self.model.readout != "steps" or isinstance(self.model.body, Convolutional):
            return None
        return (jnp.arange(inputs.shape[0])[:, None] < lengths)[..., None]
