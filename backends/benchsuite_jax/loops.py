"""Two ways to repeat a step over time: one `lax.scan`, or the steps one after the other in the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from benchsuite_jax.cells import State

Carry = TypeVar("Carry")
ENCODER, DECODER = "recurrence", "decoder"
"""Name scopes of the loops: the compiled program's own metadata is searched for them."""
ASSOCIATIVE = "associative_scan"
"""The scope inside them of a scan over all steps at once."""


class LayerRan(NamedTuple):
    """What a layer gave in one direction.

    outputs  (T, B, H), zero on padding; None where they were not asked for
    last     (B, H), the output at the last step that the direction reads of each row
    final    the state after that step
    """

    outputs: jax.Array | None
    last: jax.Array
    final: State


@dataclass(frozen=True)
class ScanConfig:
    """How a layer's steps are repeated.

    static      as copies of the step in the graph, instead of a scan
    reverse     from the last step to the first
    truncation  detach the state that enters step t = k, 2k, ... of rows live at t; None: full BPTT
    emit        whether the outputs are asked for
    scope       the loop's name in the compiled program
    """

    static: bool
    reverse: bool
    truncation: int | None
    emit: bool
    scope: str = ENCODER

    def run(
        self,
        step: Callable[[Carry, Any], tuple[Carry, Any]],
        carry: Carry,
        steps: Any,
        backward: bool = False,
        unroll: int = 1,
        end: jax.Array | None = None,
    ) -> tuple[Carry, Any]:
        """Like `lax.scan` over the leading axis of the arrays in `steps`.

        :param backward: against the layer's own direction. :param unroll: steps per round of a scan.
        :param end: (), the number of steps that change anything. A scan that is not differentiated may leave
            the others out, whose outputs are zeros then. None: all.
        """
        reverse = self.reverse != backward
        with jax.named_scope(self.scope):
            if not self.static and end is not None:
                return _scan_to(end, step, carry, steps, reverse, unroll)
            if not self.static:
                scanned: tuple[Carry, Any] = jax.lax.scan(step, carry, steps, reverse=reverse, unroll=unroll)
                return scanned
            time, emitted = len(jax.tree.leaves(steps)[0]), []
            for t in reversed(range(time)) if reverse else range(time):
                carry, output = step(carry, jax.tree.map(lambda array, t=t: array[t], steps))
                emitted.append(output)
            if reverse:
                emitted.reverse()
            return carry, jax.tree.map(lambda *parts: jnp.stack(parts), *emitted)


def longest(lengths: jax.Array | None) -> jax.Array | None:
    """(), how many steps a loop has to take over rows of `lengths` (B,); None where it takes all of them: where
    every row is full, and on a GPU, which asks the host before each step of a loop whose end is not known.
    """
    if lengths is None or jax.default_backend() != "cpu":
        return None
    end: jax.Array = _longest(lengths)
    return end


@jax.custom_batching.custom_vmap  # type: ignore[untyped-decorator]
def _longest(lengths: jax.Array) -> jax.Array:
    return jnp.max(lengths).astype(jnp.int32)


@_longest.def_vmap  # type: ignore[untyped-decorator]
def _longest_of_all(_size: int, _batched: Any, lengths: jax.Array) -> tuple[jax.Array, bool]:
    """Models that run side by side take as many steps as the one with the longest row: were the ends different,
    each step would have to copy all outputs so far."""
    return jnp.max(lengths).astype(jnp.int32), False


def _scan_to(
    end: jax.Array,
    step: Callable[[Carry, Any], tuple[Carry, Any]],
    carry: Carry,
    steps: Any,
    reverse: bool,
    unroll: int,
) -> tuple[Carry, Any]:
    """`lax.scan` over the first `end` steps; the outputs of the others are zeros. Steps up to the next multiple
    of `unroll` may be taken as well."""
    time = len(jax.tree.leaves(steps)[0])
    _, shapes = jax.eval_shape(step, carry, jax.tree.map(lambda array: array[0], steps))
    outputs = jax.tree.map(lambda shape: jnp.zeros((time, *shape.shape), shape.dtype), shapes)
    if time % unroll == 0:
        end = -(-end // unroll) * unroll

    def one(place: Any, held: tuple[Carry, Any]) -> tuple[Carry, Any]:
        carry, outputs = held
        t = end - 1 - place if reverse else place
        at = jax.tree.map(lambda array: jax.lax.dynamic_index_in_dim(array, t, keepdims=False), steps)
        carry, output = step(carry, at)
        write = jax.lax.dynamic_update_index_in_dim
        return carry, jax.tree.map(lambda array, value: write(array, value, t, 0), outputs, output)

    def several(place: Any, held: tuple[Carry, Any]) -> tuple[Carry, Any]:
        for more in range(unroll):
            held = one(place * unroll + more, held)
        return held

    rounds, zero = end // unroll, jnp.zeros((), end.dtype)
    held = jax.lax.fori_loop(zero, rounds, several, (carry, outputs))
    if time % unroll:
        held = jax.lax.fori_loop(rounds * unroll, end, one, held)
    ran: tuple[Carry, Any] = held
    return ran
