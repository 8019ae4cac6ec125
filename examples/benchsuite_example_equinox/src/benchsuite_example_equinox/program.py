"""A model and its optimiser, compiled by equinox.filter_jit once for each shape of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Batch, Gradients, Parameters, Program, StepLog
from benchsuite.schema import Recipe
from benchsuite_example_equinox.cells import STATE_PARTS
from benchsuite_example_equinox.network import Forward, Network, Placed, States
from benchsuite_example_equinox.training import MOMENTS, Arrays, Scales, clip, scales, update

Moments = dict[str, Arrays]


@eqx.filter_jit
def _step(
    network: Network,
    moments: Moments,
    placed: Placed,
    states: States | None,
    now: Scales,
    recipe: Recipe,
) -> tuple[Network, Moments, jax.Array, jax.Array, States]:
    def loss_of(network: Network) -> tuple[jax.Array, States]:
        forward = network(placed, states)
        return network.loss(forward.scores, placed), forward.states

    (loss, finals), gradients = eqx.filter_value_and_grad(loss_of, has_aux=True)(network)
    clipped, measured = clip(gradients.weights, recipe)
    weights, moments = update(network.weights, clipped, moments, recipe, now)
    return eqx.tree_at(lambda net: net.weights, network, weights), moments, loss, measured, finals


@eqx.filter_jit
def _forward(network: Network, placed: Placed, states: States | None) -> Forward:
    return network(placed, states)


@eqx.filter_jit
def _gradients(
    network: Network, placed: Placed, added: Arrays
) -> tuple[jax.Array, jax.Array, Arrays, Arrays]:
    def loss_of(wanted: tuple[Network, Arrays]) -> tuple[jax.Array, jax.Array]:
        network, added = wanted
        scores = network(placed, added=added).scores
        return network.loss(scores, placed), scores

    (loss, scores), (by_weight, by_state) = eqx.filter_value_and_grad(loss_of, has_aux=True)((network, added))
    return loss, scores, by_weight.weights, by_state


class EquinoxProgram(Program):
    """:param network: with its weights in the trial's dtype."""

    def __init__(self, network: Network, recipe: Recipe, dtype: str) -> None:
        self._network, self._recipe, self._dtype = network, recipe, np.dtype(dtype)
        self._moments: Moments = {
            part: {name: jnp.array(np.zeros(w.shape, dtype)) for name, w in network.weights.items()}
            for part in MOMENTS[recipe.optimiser]
        }
        self._steps = 0
        self._losses: list[jax.Array] = []
        self._measured: list[jax.Array] = []
        self._last: Placed | None = None

    def place(self, batch: Batch) -> Placed:
        inputs = np.ascontiguousarray(batch.inputs.swapaxes(0, 1))
        targets = batch.targets
        placed = Placed(jnp.array(inputs), jnp.array(batch.lengths), jnp.array(targets))
        jax.block_until_ready(placed)
        return placed

    def step(self, placed: Any, state: Any = None) -> States | None:
        self._steps += 1
        now = scales(self._recipe, self._steps, self._dtype)
        self._network, self._moments, loss, measured, states = _step(
            self._network, self._moments, placed, state, now, self._recipe
        )
        self._losses.append(loss)
        self._measured.append(measured)
        self._last = placed
        return states if self._recipe.carry else None

    def drain(self) -> StepLog:
        losses, measured = np.array(jax.device_get(self._losses)), np.array(jax.device_get(self._measured))
        self._losses, self._measured = [], []
        return StepLog.of(self._recipe.clip, losses, measured)

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, States | None]:
        forward = _forward(self._network, placed, state)
        return np.array(forward.scores), forward.states if self._recipe.carry else None

    def gradients(self, placed: Any) -> Gradients:
        body = self._network.body
        steps, rows = placed.inputs.shape[:2]
        zeros = jnp.array(np.zeros((steps, rows, body.hidden), self._dtype))
        added = {f"rnn.l{layer}.{way}": zeros for layer in range(body.layers) for way in body.directions}
        loss, scores, by_weight, by_state = _gradients(self._network, placed, added)
        return Gradients(float(loss), _to_numpy(by_weight), _batch_first(by_state), np.array(scores))

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        return _batch_first(_forward(self._network, placed, state).outputs)

    def make_state(self, values: Mapping[str, np.ndarray]) -> States:
        body = self._network.body
        return {
            f"rnn.l{layer}.fwd": tuple(
                jnp.array(np.array(values[f"rnn.l{layer}.fwd.{part}"], self._dtype))
                for part in STATE_PARTS[body.cell]
            )
            for layer in range(body.layers)
        }

    def read_state(self, state: Any) -> dict[str, np.ndarray]:
        names = STATE_PARTS[self._network.body.cell]
        return {
            f"{prefix}.{name}": np.array(part)
            for prefix, parts in state.items()
            for name, part in zip(names, parts, strict=True)
        }

    def parameters(self) -> Parameters:
        return _to_numpy(self._network.weights)

    def load_parameters(self, parameters: Parameters) -> None:
        weights = {name: jnp.array(np.array(w, self._dtype)) for name, w in parameters.items()}
        self._network = eqx.tree_at(lambda net: net.weights, self._network, weights)

    def synchronize(self) -> None:
        jax.block_until_ready((self._network.weights, self._moments, self._losses, self._measured))

    def kernel(self) -> str:
        """What the traced forward pass contains: a loop, or its steps one by one."""
        traced = jax.make_jaxpr(lambda net, placed: net(placed).scores)(self._network, self._last)
        if not any(equation.primitive.name == "scan" for equation in traced.eqns):
            return "unrolled"
        return "autograd_loop" if self._network.library else "scan"

    def notes(self) -> dict[str, str]:
        return {"cell": "equinox.nn" if self._network.library else "own module"}


def _to_numpy(arrays: Mapping[str, jax.Array]) -> Parameters:
    return {name: np.array(array) for name, array in arrays.items()}


def _batch_first(arrays: Mapping[str, jax.Array]) -> dict[str, np.ndarray]:
    return {name: np.array(np.asarray(array).swapaxes(0, 1), order="C") for name, array in arrays.items()}
