"""A cell over time in one direction, with a backward pass written by hand (backpropagation through time).

The loop runs saved the ends of short rows: what follows a row's last step is never read, so no gradient comes
grads from there, and the row's numbers are those of a masked loop without the cost of a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.cells import KernelCell, State, Tensor
from benchsuite_tensorflow.loops import Loop


@dataclass(frozen=True)
class Saved:
    """What a backward pass reads.

    x, weights, start   inputs (T, B, I), the cell's weights, the initial state
    outputs, d_outputs  h (T, B, H) and dL/dh from outside
    residuals           the cell's, each as a loop's steps
    attached            (T, B or 1, 1): zero where the state that enters the step is detached; None for nowhere
    probed              whether dL/dh_t is asked for
    """

    x: Tensor
    weights: Sequence[Tensor]
    start: Sequence[Tensor]
    outputs: Tensor
    d_outputs: Tensor
    residuals: list[Any]
    attached: Tensor | None
    probed: bool

    def steps(self, loop: Loop) -> list[Any]:
        """dL/dh from outside, where states are detached their mask, and the residuals, by step."""
        masks = [] if self.attached is None else [self.attached]
        return [*(loop.unpack(part) for part in (self.d_outputs, *masks)), *self.residuals]


@dataclass(frozen=True)
class Recurrence:
    """How to run a cell over (T, B, I).

    to_inputs  whether dL/dx is wanted (not for the data itself)
    cells      whether the c_t are wanted in addition to the h_t
    training   whether a backward pass may follow: the residuals that it reads are stored
    """

    cell: KernelCell
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
        attached: Tensor | None = None,
        probe: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Outputs h (T, B, H), and with `cells` c (T, B, H), through which no gradient flows. Gradients reach
        x, the weights and the initial state.

        :param attached: (T, B or 1, 1), zero where the state that enters the step is detached, else one.
        :param probe: (T, B, H) of any values: its gradient is the total dL/dh_t at fixed c_t.
        """
        extra = [] if probe is None else [probe]

        def run(x: Tensor, *rest: Tensor) -> Any:
            values, start = rest[: len(weights)], rest[len(weights) :][: self.cell.parts]
            outputs, residuals = self._forward(x, values, start)

            def gradient(d_outputs: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
                saved = Saved(x, values, start, outputs[0], d_outputs, residuals, attached, bool(extra))
                by_step = not self._at_once(x)
                dx, others = self._backward(saved) if by_step else self._backward_at_once(saved)
                return (dx, *others)

            return outputs, gradient

        if not self.training:
            return self._forward(x, weights, initial)[0]
        return tuple(tf.custom_gradient(run)(x, *weights, *initial, *extra))

    def _forward(
        self, x: Tensor, weights: Sequence[Tensor], initial: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, ...], list[Any]]:
        cell, rows, inputs = self.cell, x.shape[1], x.shape[2]
        at_once, emitted_parts = self._at_once(x), 2 if self.cells else 1
        precompute = at_once and (self.loop.unroll == "static" or cell.gates == 1)
        prepared = cell.prepare_hidden(weights) if precompute else cell.prepare(weights)
        skipped = cell.input_residuals if at_once else 0

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            arguments = (None, tuple(carry), steps[0]) if precompute else (steps[0], tuple(carry))
            state, residuals = cell.forward(prepared, *arguments)
            return list(state), [*state[:emitted_parts], *(residuals[skipped:] if self.training else ())]

        widths = cell.residual_widths(inputs, self.hidden)[skipped:] if self.training else []
        emits = [[rows, width] for width in [self.hidden] * emitted_parts + widths]
        read = self.loop.unpack(_input_gates(x, weights[0], weights[2]) if precompute else x)
        _, steps = self.loop.run(body, list(initial), [read], emits, backwards=False)
        outputs = tuple(self.loop.pack(part) for part in steps[:emitted_parts])
        return outputs, steps[emitted_parts:]

    def _backward(self, saved: Saved) -> tuple[Tensor | None, list[Tensor]]:
        """dL/dx; the weights' gradients, added up step by step, the initial state's, and dL/dh_t where it is
        asked for."""
        cell, loop, x = self.cell, self.loop, saved.x
        rows, inputs = x.shape[1], x.shape[2]
        prepared = cell.prepare_backward(saved.weights, self.to_inputs)
        parts, cut, probed = cell.parts, saved.attached is not None, saved.probed

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            d_h = carry[0] + steps[0]
            grads = cell.backward(prepared, steps[1 + cut :], (d_h, *carry[1:parts]), self.to_inputs)
            state = [part * steps[1] for part in grads.state] if cut else list(grads.state)
            sums = [total + term for total, term in zip(carry[parts:], grads.weights, strict=True)]
            emitted = ([grads.inputs] if self.to_inputs else []) + ([d_h] if probed else [])
            return state + sums, emitted

        zeros = [tf.zeros([rows, self.hidden], x.dtype)] * parts
        zeros += [tf.zeros(shape, x.dtype) for shape in cell.accumulators(inputs, self.hidden)]
        emits = ([[rows, inputs]] if self.to_inputs else []) + ([[rows, self.hidden]] if probed else [])
        carry, emitted = loop.run(body, zeros, saved.steps(loop), emits, backwards=True)
        packed = [loop.pack(part) for part in emitted]
        dx = packed[0] if self.to_inputs else None
        return dx, [*cell.weight_grads(carry[parts:], inputs), *carry[:parts], *packed[self.to_inputs :]]

    def _backward_at_once(self, saved: Saved) -> tuple[Tensor | None, list[Tensor]]:
        """The same, with the weights' gradients and dL/dx as products over all steps together."""
        cell, loop, x, weights = self.cell, self.loop, saved.x, saved.weights
        rows, width, parts = x.shape[1], weights[1].shape[1], cell.parts
        prepared = cell.prepare_backward(weights, False)
        cut, count, probed = saved.attached is not None, cell.input_residuals, saved.probed

        def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            d_h = carry[0] + steps[0]
            gates, rest = cell.gate_grads(steps[1 + cut :], (d_h, *carry[1:]))
            through = gates[-1] @ prepared[0]
            state = [through, *rest] if len(rest) < parts else [through + rest[0], *rest[1:]]
            state = [part * steps[1] for part in state] if cut else state
            return state, [*gates, *([d_h] if probed else [])]

        zeros = [tf.zeros([rows, self.hidden], x.dtype)] * parts
        emits = [[rows, width]] * count + ([[rows, self.hidden]] if probed else [])
        carry, emitted = loop.run(body, zeros, saved.steps(loop), emits, backwards=True)
        packed = [loop.pack(part) for part in emitted]
        gates = [_rows(part) for part in packed[:count]]
        before = tf.concat([saved.start[0][None], saved.outputs[:-1]], 0)
        found = cell.weight_grads_at_once(_rows(x), _rows(before), gates)
        dx = None
        if self.to_inputs:
            dx = tf.reshape(tf.matmul(gates[0], weights[0], transpose_b=True), tf.shape(x))
        return dx, [*found, *carry, *packed[count:]]

    def _at_once(self, x: Tensor) -> bool:
        """Whether the weights' gradients are one product over all steps."""
        return bool(x.shape[1] < self.cell.one_product_below[self.loop.unroll])


def _rows(x: Tensor) -> Tensor:
    return tf.reshape(x, [-1, x.shape[-1]])


def _input_gates(x: Tensor, Wx: Tensor, b: Tensor) -> Tensor:
    """x Wx + b of all steps: (T, B, G H). Of one feature the product is a multiplication by a row."""
    if Wx.shape[0] == 1:
        return x * Wx[0] + b
    return tf.reshape(tf.nn.bias_add(_rows(x) @ Wx, b), [-1, x.shape[1], Wx.shape[1]])
