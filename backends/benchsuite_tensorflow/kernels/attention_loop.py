"""Recurrent layers that attend before every step (additive attention), with their backward pass.

Each step reads the output of the step before, so unlike the other decoders this one cannot run layer by layer:
all layers take one step, then the next. Written by hand for the reasons of recurrence.py; in addition the tanh
over all encoder steps, (B, T, A) at every decoder step, is made again in the backward pass and never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.attention import AttentionStep, Memory, attend, attend_backward
from benchsuite_tensorflow.cells import KernelCell, State, Tensor
from benchsuite_tensorflow.loops import Loop


@dataclass(frozen=True)
class AttentionWeights:
    """The weights that a step of attention reads: attn.Wq (H, A) and attn.v (A)."""

    Wq: Tensor
    v: Tensor


@dataclass(frozen=True)
class LoopInputs:
    """What the loop reads, in the order in which gradients come back.

    precomputed  (U, B, G H): what the embeddings add to the bottom layer's gates
    memory       keys and values
    layers       each layer's weights, in the cell's order; the bottom one's Wx are the context's rows
    initial      each layer's state before the first step
    """

    precomputed: Tensor
    memory: Memory
    attention: AttentionWeights
    layers: Sequence[Sequence[Tensor]]
    initial: Sequence[State]

    def flat(self) -> list[Tensor]:
        """All tensors but the mask."""
        head = [self.precomputed, self.memory.keys, self.memory.values, self.attention.Wq, self.attention.v]
        return [*head, *(w for layer in self.layers for w in layer), *(p for s in self.initial for p in s)]

    def like(self, tensors: Sequence[Tensor]) -> LoopInputs:
        """The same with other tensors, in the order of flat()."""
        precomputed, keys, values, Wq, v, *rest = tensors
        count, parts = len(self.layers[0]), len(self.initial[0])
        depth = len(self.layers)
        layers = [rest[index * count : (index + 1) * count] for index in range(depth)]
        states = rest[depth * count :]
        initial = [tuple(states[index * parts : (index + 1) * parts]) for index in range(depth)]
        memory = Memory(values, self.memory.valid, keys)
        return replace(
            self,
            precomputed=precomputed,
            memory=memory,
            attention=AttentionWeights(Wq, v),
            layers=layers,
            initial=initial,
        )


def step(
    cell: KernelCell,
    attention: AttentionWeights,
    memory: Memory,
    prepared: Sequence[Sequence[Tensor]],
    precomputed: Tensor,
    states: Sequence[State],
) -> tuple[list[State], list[list[Tensor]], AttentionStep]:
    """Attend, then one step of every layer: the states after it, each layer's residuals, and the attention."""
    seen = attend(attention.Wq, attention.v, states[-1][0], memory)
    x, after, residuals = seen.context, [], []
    for index, state in enumerate(states):
        state, own = cell.forward(prepared[index], x, state, None if index else precomputed)
        x = state[0]
        after.append(state)
        residuals.append(own)
    return after, residuals, seen


@dataclass(frozen=True)
class AttentionLoop:
    """How to run the layers.

    training  whether a backward pass may follow: the residuals that it reads are stored
    """

    cell: KernelCell
    loop: Loop
    hidden: int
    training: bool

    def __call__(self, inputs: LoopInputs, probes: Sequence[Tensor] = ()) -> tuple[Tensor, Tensor]:
        """The top layer's s_t (U, B, H) and the contexts (U, B, F).

        :param probes: (U, B, H) of any values, one per layer or none: their gradients are the total dL/dh_t of
            the layer's emitted states at fixed c_t.
        """
        if not self.training:
            return self._forward(inputs)[0]
        count = len(inputs.flat())

        def run(*tensors: Tensor) -> Any:
            inside = inputs.like(tensors[:count])
            outputs, residuals = self._forward(inside)

            def gradient(d_tops: Tensor, d_contexts: Tensor) -> list[Tensor]:
                return self._backward(inside, residuals, d_tops, d_contexts, bool(probes))

            return outputs, gradient

        tops, contexts = tf.custom_gradient(run)(*inputs.flat(), *probes)
        return tops, contexts

    def layers(self, inputs: LoopInputs) -> list[Tensor]:
        """h_t (U, B, H) of every layer, bottom to top. No gradient flows through them."""
        return [self.loop.pack(steps) for steps in self._run(inputs, len(inputs.layers))[2:]]

    def _forward(self, inputs: LoopInputs) -> tuple[tuple[Tensor, Tensor], list[Any]]:
        """Top states and contexts, and the residuals by step: h before, attention, those of the cells."""
        found = self._run(inputs, 0)
        return (self.loop.pack(found[0]), self.loop.pack(found[1])), found[2:]

    def _run(self, inputs: LoopInputs, layers: int) -> list[Any]:
        """The steps of: top states, contexts, the h_t of the lowest `layers`, residuals where training."""
        cell, loop, rows = self.cell, self.loop, inputs.precomputed.shape[1]
        prepared = [cell.prepare(layer) for layer in inputs.layers]

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            states = _grouped(carry, cell.parts)
            after, residuals, seen = step(cell, inputs.attention, inputs.memory, prepared, steps[0], states)
            emitted = [after[-1][0], seen.context, *(state[0] for state in after[:layers])]
            if self.training:
                emitted += [states[-1][0], seen.attention, *(part for layer in residuals for part in layer)]
            return [part for state in after for part in state], emitted

        features, time = inputs.memory.values.shape[2], inputs.memory.values.shape[1]
        widths = [self.hidden, features, *[self.hidden] * layers]
        if self.training:
            widths += [self.hidden, time]
            for width in self._input_widths(inputs):
                widths += cell.residual_widths(width, self.hidden)
        emits = [[rows, width] for width in widths]
        carry = [part for state in inputs.initial for part in state]
        _, found = loop.run(body, carry, [loop.unpack(inputs.precomputed)], emits, backwards=False)
        return found

    def _backward(
        self, inputs: LoopInputs, residuals: list[Any], d_tops: Tensor, d_contexts: Tensor, probed: bool
    ) -> list[Tensor]:
        """Gradients in the order of LoopInputs.flat(), and dL/dh_t of every layer where `probed`."""
        cell, loop, memory, attention = self.cell, self.loop, inputs.memory, inputs.attention
        rows, dtype, depth, parts = (
            inputs.precomputed.shape[1],
            inputs.precomputed.dtype,
            len(inputs.layers),
            cell.parts,
        )
        prepared = [cell.prepare_backward(layer, True) for layer in inputs.layers]
        back_to_query = tf.transpose(attention.Wq)
        input_widths = self._input_widths(inputs)
        shapes = [cell.accumulators(width, self.hidden) for width in input_widths]
        states_end, each = depth * parts, len(shapes[0])

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            d_top, d_context, h_before, alignment, *rest = steps
            d_states = [list(state) for state in _grouped(carry[:states_end], parts)]
            sums = carry[states_end : states_end + depth * each]
            d_keys, d_v = carry[-2:]
            d_states[-1][0] = d_states[-1][0] + d_top
            probes: list[Tensor] = []
            before: list[list[Tensor]] = []
            count = len(rest) // depth
            for index in reversed(range(depth)):
                probes.insert(0, d_states[index][0])
                own = rest[index * count : (index + 1) * count]
                grads = cell.backward(prepared[index], own, tuple(d_states[index]), True)
                before.insert(0, list(grads.state))
                for place, term in enumerate(grads.weights):
                    sums[index * each + place] = sums[index * each + place] + term
                if index:
                    d_states[index - 1][0] = d_states[index - 1][0] + grads.inputs
            d_context = d_context + grads.inputs
            d_precomputed = grads.precomputed
            attended = attend_backward(attention.Wq, attention.v, h_before, memory, alignment, d_context)
            before[-1][0] = before[-1][0] + attended.query @ back_to_query
            emitted = [d_precomputed, d_context, attended.query, *(probes if probed else ())]
            after = [part for state in before for part in state]
            return [*after, *sums, d_keys + attended.keys, d_v + attended.v], emitted

        carry = [tf.zeros([rows, self.hidden], dtype)] * states_end
        carry += [tf.zeros(shape, dtype) for layer in shapes for shape in layer]
        carry += [tf.zeros_like(memory.keys), tf.zeros_like(attention.v)]
        queries = attention.Wq.shape[1]
        widths = [
            inputs.precomputed.shape[2],
            memory.values.shape[2],
            queries,
            *[self.hidden] * (probed * depth),
        ]
        steps = [loop.unpack(d_tops), loop.unpack(d_contexts), *residuals]
        done, found = loop.run(body, carry, steps, [[rows, width] for width in widths], backwards=True)
        d_precomputed, d_read, d_queries, *d_probes = (loop.pack(part) for part in found)
        h_before, alignment = loop.pack(residuals[0]), loop.pack(residuals[1])
        d_Wq = tf.matmul(
            tf.reshape(h_before, [-1, self.hidden]), tf.reshape(d_queries, [-1, queries]), transpose_a=True
        )
        d_values = tf.matmul(
            tf.transpose(alignment, [1, 0, 2]), tf.transpose(d_read, [1, 0, 2]), transpose_a=True
        )
        layers = []
        for index, width in enumerate(input_widths):
            start = states_end + index * each
            layers += cell.weight_grads(done[start : start + each], width)
        return [d_precomputed, done[-2], d_values, d_Wq, done[-1], *layers, *done[:states_end], *d_probes]

    def _input_widths(self, inputs: LoopInputs) -> list[int]:
        """Columns of what enters each layer: the context, then the layer below."""
        return [inputs.memory.values.shape[2], *[self.hidden] * (len(inputs.layers) - 1)]


def _grouped(parts: Sequence[Tensor], size: int) -> list[State]:
    return [tuple(parts[start : start + size]) for start in range(0, len(parts), size)]
