"""A stack of recurrent layers over time: the encoder's body, or the decoder's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.schema import Recurrent
from benchsuite_jax import affine_scan, fused, generic
from benchsuite_jax.cells import CellKernel, Start, States, Weights, kernel_of
from benchsuite_jax.generic import CellInputs, NamedCell
from benchsuite_jax.kernels import recurrence
from benchsuite_jax.loops import LayerRan, ScanConfig

Parameters = Mapping[str, jax.Array]


class Ran(NamedTuple):
    """What a pass over a body gave.

    outputs  the top layer's, (T, B, F), zero on padding; None where they were not asked for
    last     the readout `last` (B, F): the top layer's outputs at the last step that each direction reads
    final    every layer's state after each row's last step
    layers   outputs (T, B, H) by prefix, zero on padding: of the layers that emitted them
    """

    outputs: jax.Array | None
    last: jax.Array
    final: States
    layers: dict[str, jax.Array]


@dataclass(frozen=True)
class Layers:
    """The layers of one body, and how their loops are run.

    prefixes    canonical prefixes, bottom to top, a layer's directions side by side
    unroll      `static`, `dynamic`, `fused` or `scan`
    truncation  detach the states at t = k, 2k, ...; None: full BPTT
    scope       the name of its loops in the compiled program
    resets      whether rows start again in the middle of a sequence
    masked      whether what a step's products read of the state may be masked (recurrent dropout)
    """

    body: Recurrent
    prefixes: list[str]
    unroll: str
    truncation: int | None
    precision: jax.lax.Precision
    scope: str
    resets: bool = False
    masked: bool = False

    @property
    def kernel(self) -> CellKernel | None:
        """The kernel that runs the cell; None where it runs by its own step."""
        return kernel_of(self.body.cell, self.unroll, self.resets, self.masked)

    @property
    def cell(self) -> NamedCell:
        return NamedCell(self.body.cell)

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Bottom to top: direction -> prefix."""
        ways = self.body.directions
        for first in range(0, len(self.prefixes), len(ways)):
            yield dict(zip(ways, self.prefixes[first : first + len(ways)], strict=True))

    def fresh_start(self, rows: int, dtype: jnp.dtype) -> Start:
        """The initial states of every layer and direction."""
        initial = self.cell.initial_state(rows, self.body.hidden, dtype)
        return Start(dict.fromkeys(self.prefixes, initial), 1.0)

    def run(
        self,
        p: Parameters,
        x: jax.Array,
        start: Start,
        lengths: jax.Array | None,
        probes: Parameters | None,
        emit: bool,
        resets: jax.Array | None = None,
        masks: Parameters = MappingProxyType({}),
    ) -> Ran:
        """Over x (T, B, I).

        :param probes: (T, B, H) by prefix, added to the first part of the state after each step: their gradient
            is dL/dh_t. `fused` has no place for them and runs as a scan.
        :param emit: whether the top layer's outputs are asked for. :param resets: (T, B), true where the states
            are set to their initial values before the step. :param masks: of dropout by name
            (schema.mask_widths).
        """
        if self.unroll == "fused" and probes is None:
            outputs, states = self._run_fused(p, x, start.states, lengths, masks)
            *_, ways = self
            return Ran(outputs, _joined([states[prefix][0] for prefix in ways.values()]), states, {})
        final: States = {}
        layers: dict[str, jax.Array] = {}
        last: list[jax.Array] = []
        entering: jax.Array | None = x
        top = self.prefixes[-1]
        for layer in self:
            wanted = emit or top not in layer.values()
            emitted, last = [], []
            assert entering is not None
            entering = dropped(entering, masks, f"{_stage(layer)}.x")
            for way, prefix in layer.items():
                config = ScanConfig(
                    self.unroll == "static", way == "bwd", self.truncation, wanted, self.scope
                )
                probe = probes[prefix] if probes is not None else None
                mask = masks.get(f"{prefix}.h")
                given = CellInputs(entering, start.states[prefix], start.fresh, lengths, resets, probe, mask)
                ran = self._run_layer(weights(p, prefix), given, config)
                final[prefix] = ran.final
                last.append(ran.last)
                if ran.outputs is not None:
                    emitted.append(ran.outputs)
                    layers[prefix] = ran.outputs
            entering = _joined(emitted) if wanted else None
        return Ran(entering, _joined(last), final, layers)

    def _run_fused(
        self, p: Parameters, x: jax.Array, initial: States, lengths: jax.Array | None, masks: Parameters
    ) -> tuple[jax.Array, States]:
        """All layers in one call of cuDNN, or one by one where what is between them is masked."""
        layers = list(self)
        apart = any(f"{_stage(layer)}.x" in masks for layer in layers[1:])
        groups = [[layer] for layer in layers] if apart else [layers]
        final: States = {}
        for group in groups:
            x = dropped(x, masks, f"{_stage(group[0])}.x")
            prefixes = [prefix for layer in group for prefix in layer.values()]
            body = replace(self.body, layers=len(group))
            x, states = fused.run_stack(body, prefixes, p, x, initial, lengths, self.precision)
            final |= states
        return x, final

    def _run_layer(self, w: Weights, given: CellInputs, config: ScanConfig) -> LayerRan:
        if self.kernel is not None:
            inputs = recurrence.LayerInputs(given.x, given.initial, given.lengths, given.probe)
            return recurrence.run_layer(self.kernel, w, inputs, config)
        run = affine_scan.run_layer if self.unroll == "scan" else generic.run_layer
        return run(self.cell, w, given, config)

    def advance(
        self,
        p: Parameters,
        x: jax.Array,
        states: States,
        probes: Parameters,
        masks: Parameters = MappingProxyType({}),
    ) -> tuple[States, dict[str, jax.Array]]:
        """Every layer by one step, bottom to top: x (B, I) enters the lowest one. The states and the outputs
        (B, H), by prefix.

        :param probes: (B, H) by prefix, added to the first part of the state after the step.
        :param masks: of dropout by name; `x` has been masked already.
        """
        new: States = {}
        outputs: dict[str, jax.Array] = {}
        for prefix in self.prefixes:
            w, probe, mask = weights(p, prefix), probes.get(prefix), masks.get(f"{prefix}.h")
            if prefix != self.prefixes[0]:
                x = dropped(x, masks, f"{prefix.rpartition('.')[0]}.x")
            if self.kernel is not None:
                new[prefix] = generic.probed(self.kernel.advance(w, x, states[prefix]), probe)
                x = new[prefix][0]
            else:
                new[prefix], x = self.cell.advance(w, x, states[prefix], probe, mask)
            outputs[prefix] = x
        return new, outputs


def dropped(x: jax.Array, masks: Parameters, name: str) -> jax.Array:
    """x (..., B, I) times the mask `name` (B, I), where there is one."""
    return x * masks[name] if name in masks else x


def _stage(layer: Mapping[str, str]) -> str:
    """`rnn.l1`, of a layer's prefixes by direction."""
    return next(iter(layer.values())).rpartition(".")[0]


def _joined(parts: list[jax.Array]) -> jax.Array:
    """The directions of a layer side by side."""
    return jnp.concatenate(parts, axis=-1)


def weights(p: Parameters, prefix: str) -> Weights:
    """The parameters below `prefix`, by their last name."""
    return {name.rpartition(".")[2]: p[name] for name in p if name.startswith(f"{prefix}.")}
