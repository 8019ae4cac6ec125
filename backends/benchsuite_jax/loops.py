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
    ) -> tuple[Carry, Any]:
        """Like `lax.scan` over the leading axis of the arrays in `steps`.

        :param backward: against the layer's own direction. :param unroll: steps per round of a scan.
        """
        reverse = self.reverse != backward
        with jax.named_scope(self.scope):
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
