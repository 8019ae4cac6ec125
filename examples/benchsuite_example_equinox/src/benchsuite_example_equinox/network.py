"""The model: input -> recurrent stack -> readout -> head -> loss, as one Equinox module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from benchsuite.schema import Dense, ModelSpec, Rbf, Recurrent, Tokens
from benchsuite_example_equinox.cells import STATE_PARTS, Cell, State, library_cell, own_cell
from benchsuite_example_equinox.layers import Loop, run_layer

States = dict[str, State]
"""Layer prefix (`rnn.l0.fwd`) -> state."""


class Placed(NamedTuple):
    """A batch on the device: inputs time-major, (T, B, D) or ids (T, B); the rest as in Batch."""

    inputs: jax.Array
    lengths: jax.Array
    targets: jax.Array


class Forward(NamedTuple):
    """scores (B, O) or (B, T, O), zero on padded steps; outputs (T, B, H) and final states by layer."""

    scores: jax.Array
    outputs: dict[str, jax.Array]
    states: States


class Network(eqx.Module):
    """Every parameter of a model by its canonical name, and the model's computation."""

    weights: dict[str, jax.Array]
    spec: ModelSpec = eqx.field(static=True)
    loop: Loop = eqx.field(static=True)
    library: bool = eqx.field(static=True)
    """Whether cells are those of equinox.nn."""
    truncation: int | None = eqx.field(static=True)
    smoothing: float = eqx.field(static=True)

    @property
    def body(self) -> Recurrent:
        assert isinstance(self.spec.body, Recurrent), "declined by supports()"
        return self.spec.body

    def __call__(
        self, placed: Placed, states: States | None = None, added: Mapping[str, jax.Array] | None = None
    ) -> Forward:
        """Scores of a batch. `states` is where the recurrence begins, None the zeros; `added` by layer as in
        run_layer()."""
        x = placed.inputs
        if isinstance(self.spec.input, Tokens):
            x = self.weights["embed.E"][x]
        outputs: dict[str, jax.Array] = {}
        finals: States = {}
        for layer in range(self.body.layers):
            parts = []
            for direction in self.body.directions:
                prefix = f"rnn.l{layer}.{direction}"
                result, finals[prefix] = run_layer(
                    self._cell(prefix),
                    x,
                    placed.lengths,
                    self._zeros(x) if states is None else states[prefix],
                    loop=self.loop,
                    backwards=direction == "bwd",
                    truncation=self.truncation,
                    added=None if added is None else added[prefix],
                )
                outputs[prefix] = result
                parts.append(result)
            x = jnp.concatenate(parts, axis=2)
        return Forward(self._head(self._readout(x, placed.lengths), placed.lengths), outputs, finals)

    def loss(self, scores: jax.Array, placed: Placed) -> jax.Array:
        """The mean over valid entries."""
        kind, targets = self.spec.loss, placed.targets
        if kind == "cross_entropy":
            entries = _cross_entropy(scores, targets, self.smoothing)
        elif kind == "binary_cross_entropy":
            entries = jax.nn.softplus(scores) - targets * scores
        elif kind == "absolute":
            # jnp.abs has slope 1 at 0 in JAX, and the loss has 0
            entries = (scores - targets) * jax.lax.stop_gradient(jnp.sign(scores - targets))
        else:
            entries = (scores - targets) ** 2
        if self.spec.readout != "steps":
            return jnp.mean(entries)
        inside = jnp.arange(entries.shape[1]) < placed.lengths[:, None]
        inside = inside.reshape(inside.shape + (1,) * (entries.ndim - 2))
        valid = jnp.broadcast_to(inside, entries.shape)
        return jnp.sum(jnp.where(valid, entries, 0)) / jnp.sum(valid)

    def _cell(self, prefix: str) -> Cell:
        start = f"{prefix}."
        weights = {name.removeprefix(start): w for name, w in self.weights.items() if name.startswith(start)}
        return (library_cell if self.library else own_cell)(self.body.cell, weights)

    def _zeros(self, x: jax.Array) -> State:
        zeros = jnp.zeros((x.shape[1], self.body.hidden), x.dtype)
        return tuple(zeros for _ in STATE_PARTS[self.body.cell])

    def _readout(self, y: jax.Array, lengths: jax.Array) -> jax.Array:
        """(B, F), or (B, T, F) for `steps`. y is zero on padding."""
        if self.spec.readout == "steps":
            return jnp.swapaxes(y, 0, 1)
        if self.spec.readout == "mean":
            return jnp.sum(y, axis=0) / lengths[:, None]
        last = y[lengths - 1, jnp.arange(y.shape[1])]
        if not self.body.bidirectional:
            return last
        return jnp.concatenate([last[:, : self.body.hidden], y[0, :, self.body.hidden :]], axis=1)

    def _head(self, features: jax.Array, lengths: jax.Array) -> jax.Array:
        head = self.spec.head
        if isinstance(head, Dense):
            matrix = self.weights["embed.E"].T if head.tied else self.weights["out.W"]
            scores = features @ matrix + self.weights["out.b"]
        else:
            assert isinstance(head, Rbf), "there is no other head"
            distances = jnp.sum((features[..., :, None] - self.weights["rbf.W"]) ** 2, axis=-2)
            scores = distances if self.spec.loss in ("squared", "absolute") else -distances
        if self.spec.readout != "steps":
            return scores
        inside = jnp.arange(scores.shape[1]) < lengths[:, None]
        return jnp.where(inside[:, :, None], scores, 0)


def _cross_entropy(scores: jax.Array, targets: jax.Array, smoothing: float) -> jax.Array:
    """-sum_k q_k ln p_k of each entry, q_k = (1 - smoothing) [k = target] + smoothing / K."""
    logs = jax.nn.log_softmax(scores)
    of_target = jnp.take_along_axis(logs, targets[..., None], axis=-1)[..., 0]
    return -(1 - smoothing) * of_target - smoothing * jnp.mean(logs, axis=-1)
