"""A stack of recurrent layers over time: the encoder's body, or the decoder's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from benchsuite.schema import Recurrent
from benchsuite_jax import fused
from benchsuite_jax.cells import CELLS, Cell, State, Weights, zero_state
from benchsuite_jax.loops import ScanConfig
from benchsuite_jax.recurrence import LayerInputs, run_layer

Parameters = Mapping[str, jax.Array]
States = dict[str, State]
"""States by layer prefix (`rnn.l0.fwd`)."""


@dataclass(frozen=True)
class Stack:
    """Layers of one body, and how their loops are run.

    prefixes    canonical prefixes, bottom to top, a layer's directions side by side
    unroll      `static`, `dynamic` or `fused`
    truncation  detach the states at t = k, 2k, ...; None: full BPTT
    scope       the name of its loops in the compiled program
    """

    body: Recurrent
    prefixes: list[str]
    unroll: str
    truncation: int | None
    precision: jax.lax.Precision
    scope: str

    @property
    def cell(self) -> Cell:
        return CELLS[self.body.cell]

    @property
    def layers(self) -> Iterator[dict[str, str]]:
        """Bottom to top: direction -> prefix."""
        ways = self.body.directions
        for first in range(0, len(self.prefixes), len(ways)):
            yield dict(zip(ways, self.prefixes[first : first + len(ways)], strict=True))

    def zero_states(self, rows: int, dtype: jnp.dtype) -> States:
        """The initial states of fresh sequences."""
        return {prefix: zero_state(self.body.cell, rows, self.body.hidden, dtype) for prefix in self.prefixes}

    def last(self, final: States) -> jax.Array:
        """The readout `last` (B, F): the top layer's final h, frozen since each row's last step."""
        *_, top = self.layers
        return jnp.concatenate([final[prefix][0] for prefix in top.values()], axis=-1)

    def run(
        self,
        p: Parameters,
        x: jax.Array,
        initial: States,
        lengths: jax.Array | None,
        probes: Parameters | None,
        emit: bool,
    ) -> tuple[jax.Array | None, States]:
        """Over x (T, B, I): top outputs (T, B, F), zero on padding, and final states.

        `probes` (T, B, H) by prefix are added to the emitted h_t (see recurrence.LayerInputs). emit: whether the
        outputs are asked for; None may come back where they are not.
        """
        if self.unroll == "fused" and probes is None:
            return fused.run_stack(self.body, self.prefixes, p, x, initial, lengths, self.precision)
        final: States = {}
        outputs: jax.Array | None = x
        top = self.prefixes[-1]
        for layer in self.layers:
            wanted = emit or top not in layer.values()
            emitted = []
            for way, prefix in layer.items():
                walk = ScanConfig(self.unroll == "static", way == "bwd", self.truncation, wanted, self.scope)
                probe = probes[prefix] if probes is not None else None
                assert outputs is not None
                entering = LayerInputs(outputs, initial[prefix], lengths, probe)
                output, final[prefix] = run_layer(self.cell, weights(p, prefix), entering, walk)
                emitted.append(output)
            outputs = jnp.concatenate(emitted, axis=-1) if wanted else None
        return outputs, final


def weights(p: Parameters, prefix: str) -> Weights:
    """The parameters below `prefix`, by their last name."""
    return {name.rpartition(".")[2]: p[name] for name in p if name.startswith(f"{prefix}.")}
