"""The stack of recurrent layers over the kernels, and the embedding below it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from benchsuite.spec import ModelSpec, Recurrent, Tokens
from benchsuite_numpy.arrays import Arena, Array, Place
from benchsuite_numpy.batches import Placed, Plan
from benchsuite_numpy.cells import KERNELS, Kernel
from benchsuite_numpy.cells.base import Slopes
from benchsuite_numpy.flat import Flat

State = list[Array]
"""(B, H) for every part of a layer's state, in the batch's own row order."""


class Stack:
    """Layers of kernels, one or two directions each, above features or an embedding."""

    def __init__(self, place: Place, model: ModelSpec, body: Recurrent, flat: Flat) -> None:
        self._xp, self._on_gpu, self._body = place.xp, place.on_gpu, body
        self._tokens = model.input if isinstance(model.input, Tokens) else None
        self._flat = flat
        self._arena = Arena(place.xp, str(flat.values.dtype))
        self._layers: list[list[Kernel]] = []
        width = model.input_size
        for layer in range(body.layers):
            self._layers.append(
                [
                    KERNELS[body.cell](
                        place.xp,
                        flat,
                        f"rnn.l{layer}.{way}",
                        width,
                        body.hidden,
                        reverse=way == "bwd",
                        below=layer > 0 or self._tokens is not None,
                    )
                    for way in body.directions
                ]
            )
            width = body.output_size

    def forward(self, batch: Placed, initial: dict[str, State] | None, keep: bool) -> list[list[Array]]:
        """Outputs of the top layer: for every direction, for every t, (H, width); `keep` for backward()."""
        sources: list[list[Array]] = [self._embedded(batch)] if self._tokens else [batch.inputs]
        for layer in self._layers:
            for kernel in layer:
                kernel.start(batch.plan, self._sorted(initial, kernel.prefix, batch), keep)
                kernel.forward(sources)
            sources = [kernel.outputs() for kernel in layer]
        return sources

    def last(self, plan: Plan, outputs: Sequence[Sequence[Array]]) -> list[Array]:
        """(H, B) by direction: the forward outputs at each row's end, the backward ones at step 0."""
        found = [self._layers[-1][0].final(plan)[0]]
        return found + [way[0] for way in outputs[1:]]

    def final_states(self, batch: Placed) -> dict[str, State]:
        """The forward direction's final states by prefix, as copies in the batch's own row order."""
        order = self._xp.asarray(batch.order)
        states: dict[str, State] = {}
        for layer in self._layers:
            parts = []
            for part in layer[0].final(batch.plan):
                rows = self._xp.empty((batch.plan.rows, self._body.hidden), part.dtype)
                rows[order] = part.T
                parts.append(rows)
            states[layer[0].prefix] = parts
        return states

    def backward(
        self, batch: Placed, slopes: list[Slopes], truncation: int | None, record: bool
    ) -> dict[str, list[Array]]:
        """Gradients of every layer, from dL/d(top outputs) by direction.

        With `record`, dL/dh_t by prefix: for every t, (H, live rows).
        """
        states: dict[str, list[Array]] = {}
        hidden = self._body.hidden
        for layer in reversed(self._layers):
            for kernel, slope in zip(layer, slopes, strict=True):
                seen: list[Array] | None = [None] * batch.plan.time if record else None
                kernel.backward(slope, truncation, seen)
                if seen is not None:
                    states[kernel.prefix] = seen
            if layer is not self._layers[0]:
                found = [kernel.input_gradients() for kernel in layer]
                slopes = [
                    [
                        [
                            (slice(0, part[t].shape[1]), part[t][way * hidden : (way + 1) * hidden])
                            for part in found
                        ]
                        for t in range(batch.plan.time)
                    ]
                    for way in range(len(layer))
                ]
        if self._tokens:
            self._embedding_gradient(batch, [kernel.input_gradients() for kernel in self._layers[0]])
        return states

    def _sorted(self, initial: dict[str, State] | None, prefix: str, batch: Placed) -> list[Array] | None:
        if not initial or prefix not in initial:
            return None
        order = self._xp.asarray(batch.order)
        return [part[order].T for part in initial[prefix]]

    def _embedded(self, batch: Placed) -> list[Array]:
        """For every t: the rows of the embedding for the ids there, (E, width)."""
        table = self._flat.value["embed.E"]
        ends = batch.plan.width_ends
        rows = self._arena.view("embedded", (ends[-1], table.shape[1]))
        if self._on_gpu:
            rows[...] = table[batch.ids]
        else:  # the ids were checked when the batch was placed; `clip` writes to `out` without a buffer
            self._xp.take(table, batch.ids, axis=0, out=rows, mode="clip")
        return [rows[a:b].T for a, b in itertools.pairwise(ends)]

    def _embedding_gradient(self, batch: Placed, found: list[list[Array]]) -> None:
        gradient = self._flat.gradient["embed.E"]
        ends = batch.plan.width_ends
        rows = self._arena.view("embedded", (ends[-1], gradient.shape[1]))
        for t, (a, b) in enumerate(itertools.pairwise(ends)):
            part = rows[a:b].T
            part[...] = found[0][t]
            for other in found[1:]:
                self._xp.add(part, other[t], out=part)
        gradient[...] = 0
        if batch.embedding_order is None:
            self._xp.add.at(gradient, batch.ids, rows)
        else:
            by_id = batch.embedding_order
            gradient[by_id.ids] = self._xp.add.reduceat(rows[by_id.order], by_id.starts, axis=0)
