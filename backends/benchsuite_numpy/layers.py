"""Layers: the stack of recurrent layers over the kernels (the encoder's, or a decoder's), and the
embedding."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from benchsuite.schema import Recurrent
from benchsuite_numpy.affine_scan import ScanLayer
from benchsuite_numpy.cells import KERNELS
from benchsuite_numpy.cells.base import OutputGrads
from benchsuite_numpy.generic import GenericLayer
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.runtime import Array, DeviceContext

Masks = Mapping[str, Array]
"""Of dropout, by name (schema.mask_widths): (units, B)."""

LayerState = list[Array]
"""(H, B) for every part of a layer's state, rows in the plan's order."""


Layer = Any
"""A cells.Kernel, a GenericLayer or a ScanLayer: they have the same methods."""


class Stack:
    """Layers, one or two directions each: kernels, or GenericLayer for a cell without one."""

    def __init__(
        self,
        device: DeviceContext,
        buffer: ParameterBuffer,
        prefix: str,
        body: Recurrent,
        inputs: int,
        below: bool,
        kernel: bool,
        scan: bool = False,
        masked: bool = False,
    ) -> None:
        """
        prefix  `rnn` or `dec`
        inputs  width of the bottom's input; `below`: whether dL/d(it) is wanted
        kernel  whether the cell's kernel runs, not its generic form
        scan    whether the layers run as a scan over time
        masked  whether a mask on h may come with a pass
        """
        self._body, self._prefix = body, prefix
        self.masks: Masks = {}
        self._xp = device.xp
        make: Any = KERNELS.get(body.cell)
        if scan:
            make = partial(ScanLayer, cell=body.cell)
        elif not kernel:
            make = partial(GenericLayer, cell=body.cell, masked=masked)
        self.layers: list[list[Layer]] = []
        for layer in range(body.layers):
            self.layers.append(
                [
                    make(
                        device.xp,
                        buffer,
                        f"{prefix}.l{layer}.{direction}",
                        inputs,
                        body.hidden,
                        reverse=direction == "bwd",
                        below=below or layer > 0,
                    )
                    for direction in body.directions
                ]
            )
            inputs = body.output_size

    def forward(
        self,
        plan: Plan,
        sources: Sequence[Sequence[Array]],
        initial: Mapping[str, LayerState],
        keep: bool,
        resets: list[Array] | None = None,
        masks: Masks = MappingProxyType({}),
    ) -> list[list[Array]]:
        """Outputs of the top layer: for every direction, for every t, (H, width); `keep` for backward().

        sources  parts of the bottom's input: for every t, some of its rows
        initial  states by prefix; what it lacks starts at the cell's initial values
        resets   see GenericLayer.start(); kernels take none
        masks    of dropout by name, for this pass and its backward(): (units, B), rows in the plan's order
        """
        self.masks = masks
        for number, layer in enumerate(self.layers):
            sources = self.dropped(number, sources)
            for kernel in layer:
                if isinstance(kernel, GenericLayer):
                    mask = self.state_mask(kernel.prefix)
                    kernel.start(plan, initial.get(kernel.prefix), keep, resets=resets, mask=mask)
                else:
                    assert resets is None
                    kernel.start(plan, initial.get(kernel.prefix), keep)
                kernel.forward(sources)
            sources = [kernel.outputs() for kernel in layer]
        return [list(direction) for direction in sources]

    def dropped(self, layer: int, parts: Sequence[Sequence[Array]]) -> Sequence[Sequence[Array]]:
        """Parts of what a layer reads, one below the other, for every t (rows, width): masked, as copies. A
        mask that is narrower leaves the rows below it as they are. It is its own derivative."""
        mask, start, found = self.masks.get(f"{self._prefix}.l{layer}.x"), 0, []
        if mask is None:
            return parts
        for part in parts:
            factors = mask[start : start + len(part[0])]
            found.append([self._times(each, factors) for each in part])
            start += len(part[0])
        return found

    def state_mask(self, prefix: str) -> Array:
        """(B, H), of recurrent dropout; None without."""
        mask = self.masks.get(f"{prefix}.h")
        return None if mask is None else mask.T

    def _times(self, part: Array, factors: Array) -> Array:
        masked = part.copy()
        rows = masked[: len(factors)]
        self._xp.multiply(rows, factors[:, : rows.shape[1]], out=rows)
        return masked

    def last(self, plan: Plan, outputs: Sequence[Sequence[Array]]) -> list[Array]:
        """(H, B) by direction: the forward outputs at each row's end, the backward ones at step 0."""
        found = [self.layers[-1][0].last(plan)]
        return found + [direction[0] for direction in outputs[1:]]

    def final_states(self, plan: Plan) -> dict[str, LayerState]:
        """The forward direction's final states by prefix, as copies."""
        return {layer[0].prefix: layer[0].final(plan) for layer in self.layers}

    def outputs(self, plan: Plan) -> dict[str, list[Array]]:
        """Of the latest forward pass, by prefix: for every t, y_t (H, live rows), in the layers' own
        memory."""
        return {
            kernel.prefix: [h[:, :live] for h, live in zip(kernel.outputs(), plan.live, strict=True)]
            for layer in self.layers
            for kernel in layer
        }

    def backward(
        self, plan: Plan, grads: list[OutputGrads], truncation: int | None, record: bool
    ) -> tuple[dict[str, list[Array]], list[Array]]:
        """Gradients of every layer, from dL/d(top outputs) by direction.

        With `record`, dL/dh_t by prefix: for every t, (H, live rows). And dL/dh (H, B) before the first step
        by layer, bottom first, of a forward stack whose bottom's input has a gradient; it is in the kernels'
        own memory.
        """
        states: dict[str, list[Array]] = {}
        initial: list[Array] = []
        hidden = self._body.hidden
        for number, layer in reversed(list(enumerate(self.layers))):
            for kernel, grad in zip(layer, grads, strict=True):
                seen: list[Array] | None = [None] * plan.time if record else None
                before = kernel.backward(grad, truncation, seen)
                if before is not None:
                    initial.insert(0, before[0])
                if seen is not None:
                    states[kernel.prefix] = seen
            if layer is not self.layers[0]:
                found = self._input_gradients(number)
                grads = [
                    [
                        [
                            (
                                slice(0, part[t].shape[1]),
                                part[t][direction * hidden : (direction + 1) * hidden],
                            )
                            for part in found
                        ]
                        for t in range(plan.time)
                    ]
                    for direction in range(len(layer))
                ]
        return states, initial

    def input_gradients(self) -> list[list[Array]]:
        """dL/d(bottom's input) by direction: for every t, (I, width)."""
        return self._input_gradients(0)

    def _input_gradients(self, layer: int) -> list[list[Array]]:
        return [list(self.dropped(layer, [kernel.input_gradients()])[0]) for kernel in self.layers[layer]]


def permuted(state: LayerState, places: Array) -> LayerState:
    """The state with its rows in another order: row i from place `places[i]`."""
    return [part[:, places] for part in state]


@dataclass(frozen=True)
class Ids:
    """The ids that a loop reads, on the device, and in which order their gradients are summed.

    ids       (N,): those of step 0, then those of step 1 ..., N the sum of the plan's widths
    order     packed positions sorted by id, so that the rows of one id are one segment; None on a GPU
    starts    where each segment begins
    distinct  the segments' ids
    """

    ids: Array
    order: np.ndarray | None = None
    starts: np.ndarray | None = None
    distinct: np.ndarray | None = None


def place_ids(ids: np.ndarray, plan: Plan, device: DeviceContext) -> Ids:
    """Pack ids (B, T), rows in the plan's order."""
    packed = np.concatenate([ids[:width, t] for t, width in enumerate(plan.widths)])
    if device.on_gpu:
        return Ids(device.xp.asarray(packed))
    order = np.argsort(packed, kind="stable")
    distinct, starts = np.unique(packed[order], return_index=True)
    return Ids(packed, order, starts, distinct)


class Embedding:
    """Rows of the table `name` (V, E). `shared`: the table's gradient has been written for another use of it,
    and this one is added."""

    def __init__(
        self, device: DeviceContext, buffer: ParameterBuffer, name: str, shared: bool = False
    ) -> None:
        self._xp, self._on_gpu, self._shared = device.xp, device.on_gpu, shared
        self._table, self._gradient = buffer.value[name], buffer.gradient[name]
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))

    def forward(self, ids: Ids, plan: Plan) -> list[Array]:
        """For every t: the rows of the ids there, (E, width)."""
        rows = self._workspace.view("rows", (len(ids.ids), self._table.shape[1]))
        self.take(ids.ids, rows)
        return [rows[a:b].T for a, b in itertools.pairwise(plan.width_ends)]

    def take(self, ids: Array, out: Array) -> None:
        """Rows (n, E) of ids (n,) that are known to lie in the vocabulary."""
        if self._on_gpu:
            out[...] = self._table[ids]
        else:  # `clip` writes to `out` without a buffer
            self._xp.take(self._table, ids, axis=0, out=out, mode="clip")

    def backward(self, ids: Ids, plan: Plan, grads: Sequence[Sequence[Array]]) -> None:
        """The table's gradient. Each of `grads` gives, for every t, dL/d(row) (E, width), to be added up."""
        rows = self._workspace.view("rows", (len(ids.ids), self._table.shape[1]))
        for t, (a, b) in enumerate(itertools.pairwise(plan.width_ends)):
            part = rows[a:b].T
            part[...] = grads[0][t]
            for other in grads[1:]:
                self._xp.add(part, other[t], out=part)
        if not self._shared:
            self._gradient[...] = 0
        if ids.order is None:
            self._xp.add.at(self._gradient, ids.ids, rows)
        else:
            sums = self._xp.add.reduceat(rows[ids.order], ids.starts, axis=0)
            if self._shared:
                sums += self._gradient[ids.distinct]
            self._gradient[ids.distinct] = sums
