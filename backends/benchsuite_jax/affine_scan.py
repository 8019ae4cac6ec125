"""A layer of an affine cell as an associative scan over time (unroll `scan`).

s_t = a_t * s_{t-1} + b_t for all T steps in about log2(T) rounds over all of them: (a, b) followed by (a', b')
is (a' a, a' b + b'), which is associative (Blelloch 1990, section 1.4). Padding is the identity a = 1, b = 0;
where a row starts again a = 0. Numbers are real (one part) or complex (two parts: real, imaginary).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchsuite.schema.cells.cell import affine_step
from benchsuite_jax.cells import State, Weights
from benchsuite_jax.generic import CellInputs, NamedCell, last_output, probed, where
from benchsuite_jax.loops import ASSOCIATIVE, LayerRan, ScanConfig

Elements = tuple[State, State]
"""a and b, each with parts (T, B, H)."""


def run_layer(cell: NamedCell, w: Weights, given: CellInputs, config: ScanConfig) -> LayerRan:
    """Run an affine cell over all steps at once."""
    time, rows = given.x.shape[:2]
    hidden = given.initial[0].shape[-1]
    u = cell.inputs(w, given.x, given.begins(config.reverse))
    a, b = cell.elements(w, u, hidden)
    b = probed(b, given.probe)
    restarts, valid = given.restarts, given.valid
    if restarts is not None:
        start = cell.initial_state(rows, hidden, given.x.dtype)
        a, b = where(restarts, _zero(a), a), where(restarts, affine_step(a, b, start), b)
    live_a, live_b = a, b
    if valid is not None:
        a, b = where(valid, a, _one(a)), where(valid, b, _zero(b))
    boundaries = _boundaries(time, valid, config.truncation)
    if config.reverse:
        a, b, boundaries = jax.tree.map(lambda array: array[::-1], (a, b, boundaries))
    with jax.named_scope(config.scope), jax.named_scope(ASSOCIATIVE):
        states = _states((a, b), given.initial, boundaries)
    final = tuple(part[-1] for part in states)
    if config.reverse:
        states = tuple(part[::-1] for part in states)
    last = last_output(cell, w, given, final, config.reverse)
    if not config.emit:
        return LayerRan(None, last, final)
    if valid is None:
        return LayerRan(cell.output(w, u, states), last, final)
    # on padding output() reads what a step leaves, never an initial state, which it might divide by
    left = where(valid, states, affine_step(live_a, live_b, states))
    return LayerRan(jnp.where(valid, cell.output(w, u, left), 0), last, final)


def _boundaries(time: int, valid: jax.Array | None, truncation: int | None) -> jax.Array | None:
    """(T, 1 or B, 1), true where the state that enters a step is detached; None where it never is."""
    if not truncation or truncation >= time:
        return None
    t = jnp.arange(time)[:, None, None]
    found = (t > 0) & (t % truncation == 0)
    return found if valid is None else found & valid


def _states(elements: Elements, initial: State, boundaries: jax.Array | None) -> State:
    """The states after each step. Where they are detached, they enter the step's b as numbers, and a = 0."""
    a, b = elements
    first = affine_step(tuple(part[0] for part in a), tuple(part[0] for part in b), initial)
    b = tuple(jnp.concatenate([one[None], part[1:]]) for one, part in zip(first, b, strict=True))
    if boundaries is not None:
        before = _before(tuple(map(jax.lax.stop_gradient, prefixes(a, b))))
        a, b = where(boundaries, _zero(a), a), where(boundaries, affine_step(a, b, before), b)
    states: State = prefixes(a, b)
    return states


@jax.custom_vjp  # type: ignore[untyped-decorator]
def prefixes(a: State, b: State) -> State:
    """s_t = a_t s_{t-1} + b_t from s_{-1} = 0: parts (T, ...) like those of a and b.

    The derivative is another such recurrence, backwards, with the conjugate a* of a and what reaches s_t, g_t:
    d_s_t = g_t + a*_{t+1} d_s_{t+1}; then d_b_t = d_s_t and d_a_t = d_s_t s*_{t-1}.
    """
    return _scan(a, b, reverse=False)


def _forward(a: State, b: State) -> tuple[State, Elements]:
    states = _scan(a, b, reverse=False)
    return states, (a, states)


def _backward(saved: Elements, gradients: State) -> Elements:
    a, states = saved
    after = tuple(jnp.concatenate([part[1:], part[:1]]) for part in _conjugate(a))
    d_states = _scan(after, gradients, reverse=True)
    return affine_step(d_states, _zero(d_states), _conjugate(_before(states))), d_states


prefixes.defvjp(_forward, _backward)


def _scan(a: State, b: State, reverse: bool) -> State:
    def combined(first: Elements, second: Elements) -> Elements:
        (a, b), (next_a, next_b) = first, second
        return affine_step(next_a, _zero(a), a), affine_step(next_a, next_b, b)

    states: State = jax.lax.associative_scan(combined, (a, b), reverse=reverse)[1]
    return states


def _before(states: State) -> State:
    """The states before the steps, from those after them; 0 before the first one."""
    return tuple(jnp.concatenate([jnp.zeros_like(part[:1]), part[:-1]]) for part in states)


def _conjugate(number: State) -> State:
    return (number[0], *(-part for part in number[1:]))


def _one(like: State) -> State:
    return (jnp.ones_like(like[0]), *_zero(like[1:]))


def _zero(like: State) -> State:
    return tuple(map(jnp.zeros_like, like))
