"""Newton's method over time against the loop, in JAX: is it worth having as an unroll on this CPU?

The states of h_t = f(u_t, h_{t-1}) solve T equations at once. Newton's method (DEER, arXiv 2309.12252; ParaRNN,
arXiv 2510.21450) linearises f around a guess g of all states and solves h_t = f(u_t, g_{t-1}) + J_t (h_{t-1} -
g_{t-1}) as an associative scan over (H, H) matrices, again and again until nothing changes. The backward pass
is one more such scan, with the transposed matrices. The first guess is zero. Weights are initial ones; --scale
multiplies the recurrent matrix. Times are of the processor, one thread.

    python -m benchmarks.newton [--cells rnn,gru] [--hidden 4,8,16] [--steps 128,1024] [--rows 8] [--scale 1]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchsuite.schema import Execution
from benchsuite_jax import environment

os.environ.update(environment(Execution()))

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.schema import cell_named
from benchsuite_jax.operations import JAX_OPERATIONS

INPUTS, ITERATIONS, ROUNDS = 8, 100, 5
TOLERANCE = 1e-5
"""The largest change of a state, in float32, at which Newton's method stops."""

Weights = dict[str, jax.Array]
Pair = tuple[jax.Array, jax.Array]


@dataclass(frozen=True)
class Recurrence:
    """A cell with one part in its state. `u` (T, B, U) is what its inputs() gives, states are (T, B, H)."""

    name: str
    hidden: int
    scale: float

    def weights(self) -> Weights:
        """Initial weights as trials have them, but for the scale."""
        random = np.random.default_rng(0)
        parameters = cell_named(self.name).parameters(INPUTS, self.hidden)
        drawn = {name: one.initial(random, one.shape) for name, one in parameters.items()}
        drawn["Wh"] *= self.scale
        return {name: jnp.asarray(value, jnp.float32) for name, value in drawn.items()}

    def inputs(self, w: Weights, x: jax.Array) -> jax.Array:
        """u of x (T, B, I)."""
        rows = x.reshape(-1, INPUTS)
        u = cell_named(self.name).inputs(JAX_OPERATIONS, w, rows, jnp.zeros_like(rows[:, :1]))
        return jnp.reshape(u, (*x.shape[:2], -1))

    def step(self, w: Weights, u: jax.Array, h: jax.Array) -> jax.Array:
        """h after a step, (..., H); any number of axes before the last one."""
        rows = h.reshape(-1, self.hidden)
        (after,) = cell_named(self.name).step(JAX_OPERATIONS, w, u.reshape(len(rows), -1), rows, (rows,))
        return jnp.reshape(after, h.shape)

    def jacobians(self, w: Weights, u: jax.Array, h: jax.Array) -> jax.Array:
        """dh_after / dh (T, B, H, H)."""
        by_row = jax.vmap(jax.vmap(jax.jacfwd(lambda h, u: self.step(w, u, h)), (0, 0)), (0, 0))
        found: jax.Array = by_row(h, u)
        return found


def before(states: jax.Array) -> jax.Array:
    """The states before the steps, from those after them."""
    return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])


def solved(matrices: jax.Array, b: jax.Array, reverse: bool = False) -> jax.Array:
    """h_t = M_t h_{t-1} + b_t from zero, as a scan over all steps: M (T, B, H, H), b (T, B, H)."""

    def combined(first: Pair, second: Pair) -> Pair:
        (m, b), (next_m, next_b) = first, second
        return next_m @ m, jnp.einsum("...ij,...j->...i", next_m, b) + next_b

    found: jax.Array = jax.lax.associative_scan(combined, (matrices, b), reverse=reverse)[1]
    return found


def looped(cell: Recurrence, w: Weights, u: jax.Array) -> jax.Array:
    """The states, one step after the other."""

    def step(h: jax.Array, u: jax.Array) -> Pair:
        h = cell.step(w, u, h)
        return h, h

    found: jax.Array = jax.lax.scan(step, jnp.zeros((u.shape[1], cell.hidden), u.dtype), u)[1]
    return found


def iterated(cell: Recurrence, w: Weights, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The states by Newton's method, and how many iterations that took."""

    def again(found: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        _, change, count = found
        return (count < ITERATIONS) & ~(change <= TOLERANCE)

    def iteration(found: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        states, _, count = found
        h = before(states)
        matrices = cell.jacobians(w, u, h)
        new = solved(matrices, cell.step(w, u, h) - jnp.einsum("...ij,...j->...i", matrices, h))
        change = jnp.where(jnp.all(jnp.isfinite(new)), jnp.max(jnp.abs(new - states)), jnp.inf)
        return new, change, count + 1

    start = jnp.zeros((*u.shape[:2], cell.hidden), u.dtype)
    states, _, count = jax.lax.while_loop(again, iteration, (start, jnp.inf, 0))
    return states, count


def newton(cell: Recurrence, w: Weights, u: jax.Array) -> jax.Array:
    """The states by Newton's method, with their derivative."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(w: Weights, u: jax.Array) -> jax.Array:
        return iterated(cell, w, u)[0]

    def forward(w: Weights, u: jax.Array) -> tuple[jax.Array, Any]:
        states = run(w, u)
        return states, (w, u, states)

    def backward(saved: Any, gradient: jax.Array) -> tuple[Weights, jax.Array]:
        w, u, states = saved
        h = before(states)
        after = cell.jacobians(w, u, h)
        transposed = jnp.swapaxes(jnp.concatenate([after[1:], after[:1]]), -1, -2)
        found: tuple[Weights, jax.Array] = jax.vjp(lambda w, u: cell.step(w, u, h), w, u)[1](
            solved(transposed, gradient, reverse=True)
        )
        return found

    run.defvjp(forward, backward)
    found: jax.Array = run(w, u)
    return found


def training_step(
    cell: Recurrence, states: Callable[[Recurrence, Weights, jax.Array], jax.Array]
) -> Callable[[Weights, jax.Array, jax.Array], tuple[jax.Array, Weights]]:
    """Compiled: a loss that reads every state, and the gradients of all weights."""

    def loss(w: Weights, x: jax.Array, target: jax.Array) -> jax.Array:
        return jnp.mean(jnp.square(states(cell, w, cell.inputs(w, x)) - target))

    compiled: Callable[..., tuple[jax.Array, Weights]] = jax.jit(jax.value_and_grad(loss))
    return compiled


def measured(cell: Recurrence, steps: int, rows: int) -> Iterator[str]:
    """The cells of a row of the table."""
    random = np.random.default_rng(1)
    w = cell.weights()
    x, target = (
        jnp.asarray(random.normal(size=(steps, rows, width)), jnp.float32) for width in (INPUTS, cell.hidden)
    )
    states, count = jax.jit(lambda w, x: iterated(cell, w, cell.inputs(w, x)))(w, x)
    expected = jax.jit(lambda w, x: looped(cell, w, cell.inputs(w, x)))(w, x)
    residual = jnp.max(jnp.abs(states - cell.step(w, cell.inputs(w, x), before(states))))
    ways = [training_step(cell, way) for way in (looped, newton)]
    gradients = [way(w, x, target)[1] for way in ways]
    scale = max(float(jnp.max(jnp.abs(one))) for one in gradients[0].values())
    error = max(float(jnp.max(jnp.abs(gradients[0][key] - gradients[1][key]))) for key in w) / scale
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for way, found in zip(ways, seconds, strict=True):
            start = time.process_time()
            jax.block_until_ready(way(w, x, target))
            found.append(time.process_time() - start)
    loop, scan = (1000 * statistics.median(found) for found in seconds)
    yield from (
        cell.name,
        str(cell.hidden),
        str(steps),
        str(int(count)) if count < ITERATIONS else f"none in {count}",
    )
    yield from (f"{residual:.0e}", f"{jnp.max(jnp.abs(states - expected)):.0e}", f"{error:.0e}")
    yield from (f"{loop:.1f}", f"{scan:.1f}", f"{scan / loop:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Newton's method over time against the loop, in JAX.")
    parser.add_argument("--cells", default="rnn,gru")
    parser.add_argument("--hidden", default="4,8,16")
    parser.add_argument("--steps", default="128,1024,8192")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    titles = "cell,H,T,iterations,residual,state error,gradient error,loop ms,Newton ms,ratio"
    print("| " + titles.replace(",", " | ") + " |", "|---" * 10 + "|", sep="\n")
    for name in given.cells.split(","):
        for hidden in map(int, given.hidden.split(",")):
            cell = Recurrence(name, hidden, given.scale)
            for steps in map(int, given.steps.split(",")):
                print("| " + " | ".join(measured(cell, steps, given.rows)) + " |", flush=True)


if __name__ == "__main__":
    main()
