"""Recurrent layers that look back before every step (additive attention), with their backward pass.

Each step reads what the step before wrote, so unlike the other decoders this one cannot run layer by layer:
all layers go one step, then the next. Generated out for the reasons of recurrence.py; in addition the tanh
over all encoder steps, (B, T, A) at every decoder step, is made again in the backward pass and never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.attention import AttentionStep, Memory, look, look_back
from benchsuite_tensorflow.cells import Cell, State, Tensor
from benchsuite_tensorflow.loops import Loop


@dataclass(frozen=True)
class Attention:
    """The weights that a step of attention reads: attn.Wq (H, A) and attn.v (A)."""

    Wq: Tensor
    v: Tensor


@dataclass(frozen=True)
class Given:
    """What the loop reads, in the order in which gradients come back.

    ahead    (U, B, G H): what the embeddings add to the bottom layer's gates
    memory   keys and values
    layers   each layer's weights, in the cell's order; the bottom one's Wx are the context's rows
    initial  each layer's state before the first step
    """

    ahead: Tensor
    memory: Memory
    attention: Attention
    layers: Sequence[Sequence[Tensor]]
    initial: Sequence[State]

    def flat(self) -> list[Tensor]:
        """All tensors but the mask."""
        head = [self.ahead, self.memory.keys, self.memory.values, self.attention.Wq, self.attention.v]
        return [*head, *(w for layer in self.layers for w in layer), *(p for s in self.initial for p in s)]

    def like(self, tensors: Sequence[Tensor]) -> Given:
        """The same with other tensors, in the order of flat()."""
        ahead, keys, values, Wq, v, *rest = tensors
        count, parts = len(self.layers[0]), len(self.initial[0])
        depth = len(self.layers)
        layers = [rest[index * count : (index + 1) * count] for index in range(depth)]
        states = rest[depth * count :]
        initial = [tuple(states[index * parts : (index + 1) * parts]) for index in range(depth)]
        memory = Memory(values, self.memory.valid, keys)
        return replace(
            self, ahead=ahead, memory=memory, attention=Attention(Wq, v), layers=layers, initial=initial
        )


def step(
    cell: Cell,
    attention: Attention,
    memory: Memory,
    prepared: Sequence[Sequence[Tensor]],
    ahead: Tensor,
    states: Sequence[State],
) -> tuple[list[State], list[list[Tensor]], AttentionStep]:
    """Look back, then one step of every layer: the states after it, what the backward pass reads of each
    layer, and what was looked at."""
    seen = look(attention.Wq, attention.v, states[-1][0], memory)
    x, after, kept = seen.context, [], []
    for index, state in enumerate(states):
        state, needed = cell.forward(prepared[index], x, state, None if index else ahead)
        x = state[0]
        after.append(state)
        kept.append(needed)
    return after, kept, seen


@dataclass(frozen=True)
class Attentive:
    """How to run the layers; `training` says that a backward pass may follow."""

    cell: Cell
    loop: Loop
    hidden: int
    training: bool

    def __call__(self, given: Given, probes: Sequence[Tensor] = ()) -> tuple[Tensor, Tensor]:
        """The top layer's s_t (U, B, H) and the contexts (U, B, F).

        probes  (U, B, H) of any values, one a layer or none: their gradients are the total dL/dh_t of the
                layer's emitted states at fixed c_t
        """
        if not self.training:
            return self._forward(given)[0]
        count = len(given.flat())

        def run(*tensors: Tensor) -> Any:
            inside = given.like(tensors[:count])
            outputs, kept = self._forward(inside)

            def gradient(d_tops: Tensor, d_contexts: Tensor) -> list[Tensor]:
                return self._backward(inside, kept, d_tops, d_contexts, bool(probes))

            return outputs, gradient

        tops, contexts = tf.custom_gradient(run)(*given.flat(), *probes)
        return tops, contexts

    def _forward(self, given: Given) -> tuple[tuple[Tensor, Tensor], list[Any]]:
        cell, loop, rows = self.cell, self.loop, given.ahead.shape[1]
        prepared = [cell.prepare(layer) for layer in given.layers]

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            states = _grouped(carry, cell.parts)
            after, kept, seen = step(cell, given.attention, given.memory, prepared, steps[0], states)
            emitted = [after[-1][0], seen.context]
            if self.training:
                emitted += [states[-1][0], seen.attention, *(part for layer in kept for part in layer)]
            return [part for state in after for part in state], emitted

        features, time = given.memory.values.shape[2], given.memory.values.shape[1]
        widths = [self.hidden, features]
        if self.training:
            widths += [self.hidden, time]
            widths += [w for inputs in self._inputs(given) for w in cell.kept_widths(inputs, self.hidden)]
        emits = [[rows, width] for width in widths]
        carry = [part for state in given.initial for part in state]
        _, found = loop.run(body, carry, [loop.unpack(given.ahead)], emits, backwards=False)
        return (loop.pack(found[0]), loop.pack(found[1])), found[2:]

    def _backward(
        self, given: Given, kept: list[Any], d_tops: Tensor, d_contexts: Tensor, tapped: bool
    ) -> list[Tensor]:
        """Gradients in the order of Given.flat(), and dL/dh_t of every layer where it is tapped."""
        cell, loop, memory, attention = self.cell, self.loop, given.memory, given.attention
        rows, dtype, depth, parts = given.ahead.shape[1], given.ahead.dtype, len(given.layers), cell.parts
        prepared = [cell.prepare_back(layer, True) for layer in given.layers]
        back_to_query = tf.transpose(attention.Wq)
        inputs = self._inputs(given)
        shapes = [cell.accumulators(wide, self.hidden) for wide in inputs]
        states_end, each = depth * parts, len(shapes[0])

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            d_top, d_context, h_before, looked, *rest = steps
            d_states = [list(state) for state in _grouped(carry[:states_end], parts)]
            sums = carry[states_end : states_end + depth * each]
            d_keys, d_v = carry[-2:]
            d_states[-1][0] = d_states[-1][0] + d_top
            taps: list[Tensor] = []
            before: list[list[Tensor]] = []
            needed = len(rest) // depth
            for index in reversed(range(depth)):
                taps.insert(0, d_states[index][0])
                layer_kept = rest[index * needed : (index + 1) * needed]
                back = cell.backward(prepared[index], layer_kept, tuple(d_states[index]), True)
                before.insert(0, list(back.state))
                for place, share in enumerate(back.weights):
                    sums[index * each + place] = sums[index * each + place] + share
                if index:
                    d_states[index - 1][0] = d_states[index - 1][0] + back.inputs
            d_context = d_context + back.inputs
            d_ahead = back.ahead
            past = look_back(attention.Wq, attention.v, h_before, memory, looked, d_context)
            before[-1][0] = before[-1][0] + past.query @ back_to_query
            emitted = [d_ahead, d_context, past.query, *(taps if tapped else ())]
            after = [part for state in before for part in state]
            return [*after, *sums, d_keys + past.keys, d_v + past.v], emitted

        carry = [tf.zeros([rows, self.hidden], dtype)] * states_end
        carry += [tf.zeros(shape, dtype) for layer in shapes for shape in layer]
        carry += [tf.zeros_like(memory.keys), tf.zeros_like(attention.v)]
        queries = attention.Wq.shape[1]
        widths = [given.ahead.shape[2], memory.values.shape[2], queries, *[self.hidden] * (tapped * depth)]
        steps = [loop.unpack(d_tops), loop.unpack(d_contexts), *kept]
        done, found = loop.run(body, carry, steps, [[rows, width] for width in widths], backwards=True)
        d_ahead, d_read, d_queries, *taps = (loop.pack(part) for part in found)
        h_before, looked = loop.pack(kept[0]), loop.pack(kept[1])
        d_Wq = tf.matmul(
            tf.reshape(h_before, [-1, self.hidden]), tf.reshape(d_queries, [-1, queries]), transpose_a=True
        )
        d_values = tf.matmul(
            tf.transpose(looked, [1, 0, 2]), tf.transpose(d_read, [1, 0, 2]), transpose_a=True
        )
        layers = []
        for index, wide in enumerate(inputs):
            start = states_end + index * each
            layers += cell.collect(done[start : start + each], wide)
        return [d_ahead, done[-2], d_values, d_Wq, done[-1], *layers, *done[:states_end], *taps]

    def _inputs(self, given: Given) -> list[int]:
        """Columns of what enters each layer: the context, then the layer below."""
        return [given.memory.values.shape[2], *[self.hidden] * (len(given.layers) - 1)]


def _grouped(parts: Sequence[Tensor], size: int) -> list[State]:
    return [tuple(parts[start : start + size]) for start in range(0, len(parts), size)]
