"""A cell over time in one direction, with its hand-written backward pass (backpropagation through time).

The loop runs past the ends of short rows: what follows a row's last step is never read, so no gradient comes
back from there, and the row's numbers are those of a masked loop without a mask's cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.cells import Cell, State, Tensor
from benchsuite_tensorflow.loops import Loop


@dataclass(frozen=True)
class Past:
    """What a backward pass reads: the inputs, the weights, the initial state, the outputs h and their gradient,
    what the steps kept; where states are detached (None: nowhere); whether dL/dh_t is tapped."""

    x: Tensor
    weights: Sequence[Tensor]
    start: Sequence[Tensor]
    outputs: Tensor
    d_outputs: Tensor
    kept: list[Any]
    keep: Tensor | None
    tapped: bool

    def steps(self, loop: Loop) -> list[Any]:
        """dL/dh from outside, where there are cuts their mask, and what was kept, by step."""
        cuts = [] if self.keep is None else [self.keep]
        return [*(loop.unpack(part) for part in (self.d_outputs, *cuts)), *self.kept]


@dataclass(frozen=True)
class Recurrence:
    """How to run a cell over (T, B, I).

    to_inputs  whether dL/dx is wanted (not for the data itself)
    cells      whether the c_t are wanted beside the h_t
    training   whether a backward pass may follow: what it needs is kept
    """

    cell: Cell
    loop: Loop
    hidden: int
    to_inputs: bool
    cells: bool
    training: bool

    def __call__(
        self,
        x: Tensor,
        weights: Sequence[Tensor],
        initial: State,
        keep: Tensor | None = None,
        probe: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Outputs h (T, B, H), and with `cells` c (T, B, H), through which no gradient flows. Gradients reach
        x, the weights and the initial state.

        keep   (T, B or 1, 1): zero where the state that enters the step is detached; None for nowhere
        probe  (T, B, H) of any values: its gradient is the total dL/dh_t at fixed c_t
        """
        extra = [] if probe is None else [probe]

        def run(x: Tensor, *rest: Tensor) -> Any:
            values, start = rest[: len(weights)], rest[len(weights) :][: self.cell.parts]
            outputs, kept = self._forward(x, values, start)

            def gradient(d_outputs: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
                past = Past(x, values, start, outputs[0], d_outputs, kept, keep, bool(extra))
                dx, others = self._backward_whole(past) if self._whole(x) else self._backward(past)
                return (dx, *others)

            return outputs, gradient

        if not self.training:
            return self._forward(x, weights, initial)[0]
        return tuple(tf.custom_gradient(run)(x, *weights, *initial, *extra))

    def _forward(
        self, x: Tensor, weights: Sequence[Tensor], initial: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, ...], list[Any]]:
        cell, rows, inputs = self.cell, x.shape[1], x.shape[2]
        whole, emitted_parts = self._whole(x), 2 if self.cells else 1
        ahead = whole and (self.loop.unroll == "static" or cell.gates == 1)
        prepared = cell.prepare_hidden(weights) if ahead else cell.prepare(weights)
        entered = cell.entered if whole else 0

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            entering = (None, tuple(carry), steps[0]) if ahead else (steps[0], tuple(carry))
            state, kept = cell.forward(prepared, *entering)
            return list(state), [*state[:emitted_parts], *(kept[entered:] if self.training else ())]

        widths = cell.kept_widths(inputs, self.hidden)[entered:] if self.training else []
        emits = [[rows, width] for width in [self.hidden] * emitted_parts + widths]
        read = self.loop.unpack(_input_gates(x, weights[0], weights[2]) if ahead else x)
        _, steps = self.loop.run(body, list(initial), [read], emits, backwards=False)
        outputs = tuple(self.loop.pack(part) for part in steps[:emitted_parts])
        return outputs, steps[emitted_parts:]

    def _backward(self, past: Past) -> tuple[Tensor | None, list[Tensor]]:
        """dL/dx; the weights' gradients, added up step by step, the initial state's, and dL/dh_t where it is
        tapped."""
        cell, loop, x = self.cell, self.loop, past.x
        rows, inputs = x.shape[1], x.shape[2]
        prepared = cell.prepare_back(past.weights, self.to_inputs)
        parts, cut, tapped = cell.parts, past.keep is not None, past.tapped

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            d_h = carry[0] + steps[0]
            back = cell.backward(prepared, steps[1 + cut :], (d_h, *carry[1:parts]), self.to_inputs)
            state = [part * steps[1] for part in back.state] if cut else list(back.state)
            sums = [total + share for total, share in zip(carry[parts:], back.weights, strict=True)]
            emitted = ([back.inputs] if self.to_inputs else []) + ([d_h] if tapped else [])
            return state + sums, emitted

        zeros = [tf.zeros([rows, self.hidden], x.dtype)] * parts
        zeros += [tf.zeros(shape, x.dtype) for shape in cell.accumulators(inputs, self.hidden)]
        emits = ([[rows, inputs]] if self.to_inputs else []) + ([[rows, self.hidden]] if tapped else [])
        carry, emitted = loop.run(body, zeros, past.steps(loop), emits, backwards=True)
        packed = [loop.pack(part) for part in emitted]
        dx = packed[0] if self.to_inputs else None
        return dx, [*cell.collect(carry[parts:], inputs), *carry[:parts], *packed[self.to_inputs :]]

    def _backward_whole(self, past: Past) -> tuple[Tensor | None, list[Tensor]]:
        """The same, with the weights' gradients and dL/dx as products over all steps together."""
        cell, loop, x, weights = self.cell, self.loop, past.x, past.weights
        rows, width, parts = x.shape[1], weights[1].shape[1], cell.parts
        prepared = cell.prepare_back(weights, False)
        cut, count, tapped = past.keep is not None, cell.entered, past.tapped

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            d_h = carry[0] + steps[0]
            gates, rest = cell.slopes(steps[1 + cut :], (d_h, *carry[1:]))
            through = gates[-1] @ prepared[0]
            state = [through, *rest] if len(rest) < parts else [through + rest[0], *rest[1:]]
            state = [part * steps[1] for part in state] if cut else state
            return state, [*gates, *([d_h] if tapped else [])]

        zeros = [tf.zeros([rows, self.hidden], x.dtype)] * parts
        emits = [[rows, width]] * count + ([[rows, self.hidden]] if tapped else [])
        carry, emitted = loop.run(body, zeros, past.steps(loop), emits, backwards=True)
        packed = [loop.pack(part) for part in emitted]
        gates = [_rows(part) for part in packed[:count]]
        before = tf.concat([past.start[0][None], past.outputs[:-1]], 0)
        found = cell.collect_whole(_rows(x), _rows(before), gates)
        dx = None
        if self.to_inputs:
            dx = tf.reshape(tf.matmul(gates[0], weights[0], transpose_b=True), tf.shape(x))
        return dx, [*found, *carry, *packed[count:]]

    def _whole(self, x: Tensor) -> bool:
        return bool(x.shape[1] < self.cell.whole_below[self.loop.unroll])


def _rows(x: Tensor) -> Tensor:
    return tf.reshape(x, [-1, x.shape[-1]])


def _input_gates(x: Tensor, Wx: Tensor, b: Tensor) -> Tensor:
    """x Wx + b of all steps: (T, B, G H). Of one feature the product is a multiplication by a row."""
    if Wx.shape[0] == 1:
        return x * Wx[0] + b
    return tf.reshape(tf.nn.bias_add(_rows(x) @ Wx, b), [-1, x.shape[1], Wx.shape[1]])
