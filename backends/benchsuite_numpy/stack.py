"""A stack of recurrent layers over the kernels: the encoder's, or a decoder's that runs in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchsuite.schema import Recurrent
from benchsuite_numpy.arrays import Array, DeviceContext
from benchsuite_numpy.cells import KERNELS, Kernel
from benchsuite_numpy.cells.base import Slopes
from benchsuite_numpy.flat import ParameterBuffer
from benchsuite_numpy.plans import Plan

State = list[Array]
"""(H, B) for every part of a layer's state, rows in the plan's order."""


class Stack:
    """Layers of kernels, one or two directions each."""

    def __init__(
        self,
        place: DeviceContext,
        flat: ParameterBuffer,
        prefix: str,
        body: Recurrent,
        inputs: int,
        below: bool,
    ) -> None:
        """
        prefix  `rnn` or `dec`
        inputs  width of the bottom's input; `below`: whether dL/d(it) is wanted
        """
        self._body = body
        self.layers: list[list[Kernel]] = []
        for layer in range(body.layers):
            self.layers.append(
                [
                    KERNELS[body.cell](
                        place.xp,
                        flat,
                        f"{prefix}.l{layer}.{way}",
                        inputs,
                        body.hidden,
                        reverse=way == "bwd",
                        below=below or layer > 0,
                    )
                    for way in body.directions
                ]
            )
            inputs = body.output_size

    def forward(
        self, plan: Plan, sources: Sequence[Sequence[Array]], initial: Mapping[str, State], keep: bool
    ) -> list[list[Array]]:
        """Outputs of the top layer: for every direction, for every t, (H, width); `keep` for backward().

        sources  parts of the bottom's input: for every t, some of its rows
        initial  states by prefix; what it lacks starts at zero
        """
        for layer in self.layers:
            for kernel in layer:
                kernel.start(plan, initial.get(kernel.prefix), keep)
                kernel.forward(sources)
            sources = [kernel.outputs() for kernel in layer]
        return [list(way) for way in sources]

    def last(self, plan: Plan, outputs: Sequence[Sequence[Array]]) -> list[Array]:
        """(H, B) by direction: the forward outputs at each row's end, the backward ones at step 0."""
        found = [self.layers[-1][0].final(plan)[0]]
        return found + [way[0] for way in outputs[1:]]

    def final_states(self, plan: Plan) -> dict[str, State]:
        """The forward direction's final states by prefix, as copies."""
        return {layer[0].prefix: layer[0].final(plan) for layer in self.layers}

    def backward(
        self, plan: Plan, slopes: list[Slopes], truncation: int | None, record: bool
    ) -> tuple[dict[str, list[Array]], list[Array]]:
        """Gradients of every layer, from dL/d(top outputs) by direction.

        With `record`, dL/dh_t by prefix: for every t, (H, live rows). And dL/dh (H, B) before the first step
        by layer, bottom first, of a forward stack whose bottom's input has a gradient; it is in the kernels'
        own memory.
        """
        states: dict[str, list[Array]] = {}
        initial: list[Array] = []
        hidden = self._body.hidden
        for layer in reversed(self.layers):
            for kernel, slope in zip(layer, slopes, strict=True):
                seen: list[Array] | None = [None] * plan.time if record else None
                before = kernel.backward(slope, truncation, seen)
                if before is not None:
                    initial.insert(0, before[0])
                if seen is not None:
                    states[kernel.prefix] = seen
            if layer is not self.layers[0]:
                found = [kernel.input_gradients() for kernel in layer]
                slopes = [
                    [
                        [
                            (slice(0, part[t].shape[1]), part[t][way * hidden : (way + 1) * hidden])
                            for part in found
                        ]
                        for t in range(plan.time)
                    ]
                    for way in range(len(layer))
                ]
        return states, initial

    def input_gradients(self) -> list[list[Array]]:
        """dL/d(bottom's input) by direction: for every t, (I, width)."""
        return [kernel.input_gradients() for kernel in self.layers[0]]


def permuted(state: State, places: Array) -> State:
    """The state with its rows in another order: row i from place `places[i]`."""
    return [part[:, places] for part in state]
