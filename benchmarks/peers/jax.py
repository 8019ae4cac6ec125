"""As JAX's users write it: lax.scan over a cell's function, in a few of its settings, and Flax's layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.contestants import Contestant, Peers
from benchmarks.peers.jax_flax import flax_model
from benchmarks.peers.jax_scan import apply_scan, scan_parameters
from benchmarks.shapes import Shape

Tree = Any
Apply = Callable[[Tree, jax.Array, jax.Array], jax.Array]
"""Parameters, inputs (T, B, D), lengths (B,) -> class scores (B, 10)."""


class Jax(Contestant):
    """One jitted function a step, parameters and Adam's state donated to it."""

    def __init__(self, shape: Shape, parameters: Tree, apply: Apply) -> None:
        batch, optimiser = shape.data(), optax.adam(1e-3)
        self._inputs = jax.device_put(np.ascontiguousarray(batch.inputs.swapaxes(0, 1)))
        self._lengths, self._labels = jax.device_put((batch.lengths, batch.targets))
        self._state = (parameters, optimiser.init(parameters))
        self._loss = jnp.nan

        def loss_of(parameters: Tree, inputs: jax.Array, lengths: jax.Array, labels: jax.Array) -> jax.Array:
            scores = apply(parameters, inputs, lengths)
            return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()

        @partial(jax.jit, donate_argnums=0)
        def train(state: Tree, *batch: jax.Array) -> tuple[Tree, jax.Array]:
            parameters, moments = state
            loss, gradients = jax.value_and_grad(loss_of)(parameters, *batch)
            updates, moments = optimiser.update(gradients, moments)
            return (optax.apply_updates(parameters, updates), moments), loss

        self._train, self._apply = train, jax.jit(apply)

    def step(self) -> None:
        self._state, self._loss = self._train(self._state, self._inputs, self._lengths, self._labels)

    def loss(self) -> float:
        return float(self._loss)

    def predict(self) -> None:
        np.asarray(self._apply(self._state[0], self._inputs, self._lengths))

    def synchronize(self) -> None:
        jax.block_until_ready(self._state)


def scan(shape: Shape, hoisted: bool = False, unroll: int = 1) -> Contestant:
    apply = partial(apply_scan, cell=shape.cell, ragged=shape.ragged, hoisted=hoisted, unroll=unroll)
    return Jax(shape, scan_parameters(shape), apply)


def flax(shape: Shape) -> Contestant:
    return Jax(shape, *flax_model(shape))


PEERS: Peers = {
    "scan": scan,
    "scan-hoisted": partial(scan, hoisted=True),
    "scan-unroll4": partial(scan, unroll=4),
    "scan-unroll8": partial(scan, unroll=8),
    "flax": flax,
}
