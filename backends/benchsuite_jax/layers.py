"""A stack of recurrent layers over time: the encoder's body, or the decoder's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.schema import Recurrent
from benchsuite_jax import fused
from benchsuite_jax.cells import Cell, States, Weights, cell_of, zero_state
from benchsuite_jax.kernels.recurrence import LayerInputs, run_layer
from benchsuite_jax.loops import ScanConfig

Parameters = Mapping[str, jax.Array]


class Ran(NamedTuple):
    """What a pass over a body gave.

    outputs  the top layer's, (T, B, F), zero on padding; None where they were not asked for
    final    every layer's state after each row's last step
    layers   h_t (T, B, H) by prefix, zero on padding: of the layers that emitted them
    """

    outputs: jax.Array | None
    final: States
    layers: dict[str, jax.Array]


@dataclass(frozen=True)
class Layers:
    """The layers of one body, and how their loops are run.

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
        return cell_of(self.body.cell)

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Bottom to top: direction -> prefix."""
        ways = self.body.directions
        for first in range(0, len(self.prefixes), len(ways)):
            yield dict(zip(ways, self.prefixes[first : first + len(ways)], strict=True))

    def zero_states(self, rows: int, dtype: jnp.dtype) -> States:
        """Zero states of every layer and direction."""
        return {prefix: zero_state(self.cell, rows, self.body.hidden, dtype) for prefix in self.prefixes}

    def last(self, final: States) -> jax.Array:
        """The readout `last` (B, F): the top layer's final h, frozen since each row's last step."""
        *_, top = self
        return jnp.concatenate([final[prefix][0] for prefix in top.values()], axis=-1)

    def run(
        self,
        p: Parameters,
        x: jax.Array,
        initial: States,
        lengths: jax.Array | None,
        probes: Parameters | None,
        emit: bool,
    ) -> Ran:
        """Over x (T, B, I).

        :param probes: (T, B, H) by prefix, added to the emitted h_t (see LayerInputs). `fused` has no place for
            them and runs as a scan.
        :param emit: whether the top layer's outputs are asked for.
        """
        if self.unroll == "fused" and probes is None:
            outputs, final = fused.run_stack(self.body, self.prefixes, p, x, initial, lengths, self.precision)
            return Ran(outputs, final, {})
        final, layers = {}, {}
        entering: jax.Array | None = x
        top = self.prefixes[-1]
        for layer in self:
            wanted = emit or top not in layer.values()
            emitted = []
            for way, prefix in layer.items():
                config = ScanConfig(
                    self.unroll == "static", way == "bwd", self.truncation, wanted, self.scope
                )
                probe = probes[prefix] if probes is not None else None
                assert entering is not None
                inputs = LayerInputs(entering, initial[prefix], lengths, probe)
                output, final[prefix] = run_layer(self.cell, weights(p, prefix), inputs, config)
                if output is not None:
                    emitted.append(output)
                    layers[prefix] = output
            entering = jnp.concatenate(emitted, axis=-1) if wanted else None
        return Ran(entering, final, layers)


def weights(p: Parameters, prefix: str) -> Weights:
    """The parameters below `prefix`, by their last name."""
    return {name.rpartition(".")[2]: p[name] for name in p if name.startswith(f"{prefix}.")}
