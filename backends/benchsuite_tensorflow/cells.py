"""One step of each cell, forwards and backwards.

A loop over steps differentiated by TensorFlow stacks every intermediate value of every step and adds up the
weights' gradient through one more loop variable each. Written by hand, a step stores only what its own backward
formula reads, and its kernels (SigmoidGrad, TanhGrad) are those that TensorFlow's differentiation would use.

Shapes: x (B, I), h and c (B, H). Weights in the canonical layout of benchsuite.schema.parameters.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name

Tensor = Any
State = tuple[Tensor, ...]
States = dict[str, State]
"""States by layer prefix (`rnn.l0.fwd`)."""
sigmoid_grad, tanh_grad = tf.raw_ops.SigmoidGrad, tf.raw_ops.TanhGrad
bias_grad = tf.raw_ops.BiasAddGrad
"""A sum over the rows, by the kernel that TensorFlow has for it."""


@dataclass(frozen=True)
class StepGrads:
    """What a step's backward pass gives.

    inputs       dL/dx (B, I), None where nobody asks
    state        dL/d(state before)
    weights      the step's terms of the weights' gradients, in the order of KernelCell.accumulators
    precomputed  dL/d(precomputed) (B, G H)
    """

    inputs: Tensor | None
    state: State
    weights: list[Tensor]
    precomputed: Tensor


class KernelCell(abc.ABC):
    """A recurrent cell that has a kernel: its step and that step's derivative, written by hand.

    weights            its parameters by their last name, in order
    parts              tensors in its state: (h,) or (h, c)
    gates              columns of Wx over H
    input_residuals    how many of forward()'s residuals, the first ones, are inputs (x and h), which only the
                       weights' gradients read; gate_grads() gives as many
    one_product_below  rows B, by unroll, below which the weights' gradients are one product over all steps. It
                       saves each step its sums, and has all gates' gradients written to memory and read again:
                       faster where a step is small
    """

    weights: tuple[str, ...]
    parts: int
    gates: int
    input_residuals: int
    one_product_below: Mapping[str, float]

    @abc.abstractmethod
    def residual_widths(self, inputs: int, hidden: int) -> list[int]:
        """Columns of each residual of forward()."""

    @abc.abstractmethod
    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The weights as forward() reads them, computed once per batch."""

    @abc.abstractmethod
    def prepare_hidden(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """As prepare(), for steps whose inputs' product is precomputed."""

    @abc.abstractmethod
    def prepare_backward(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        """The weights as backward() reads them; `to_inputs` asks for dL/dx as well."""

    @abc.abstractmethod
    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, precomputed: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        """The next state, h first, and the residuals that backward() reads.

        :param precomputed: (B, G H), added to the gates: the product of further inputs, made before the loop.
            Where x is None it is that of all inputs with their bias, and `prepared` are prepare_hidden()'s.
        """

    @abc.abstractmethod
    def backward(
        self, prepared: Sequence[Tensor], residuals: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepGrads:
        """From the residuals and dL/d(state after this step)."""

    @abc.abstractmethod
    def gate_grads(self, residuals: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        """dL/d(gates), the last of them (B, G H) those of the product with h; and what reaches the state before
        by other paths, h's part first where there is one. `residuals` without the input residuals."""

    @abc.abstractmethod
    def weight_grads_at_once(self, x: Tensor, h: Tensor, gates: Sequence[Tensor]) -> list[Tensor]:
        """Gradients in the order of `weights` from all steps together: their inputs x (N, I) and h (N, H), and
        the gates' gradients (N, G H)."""

    @abc.abstractmethod
    def accumulators(self, inputs: int, hidden: int) -> list[list[int]]:
        """Shapes of the sums of StepGrads.weights."""

    @abc.abstractmethod
    def weight_grads(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:
        """Gradients in the order of `weights`, from the sums over all steps."""


class _Joined(KernelCell):
    """Cells whose gates are one product of [x, h]: the join costs a copy, saves an addition of (B, G H)."""

    weights = ("Wx", "Wh", "b")
    input_residuals = 1
    one_product_below = MappingProxyType({"static": 64, "dynamic": 64})

    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [tf.concat(weights[:2], 0), weights[2]]

    def prepare_hidden(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [weights[1]]

    def prepare_backward(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        return [tf.transpose(tf.concat(weights[:2], 0) if to_inputs else weights[1])]

    def accumulators(self, inputs: int, hidden: int) -> list[list[int]]:
        return [[inputs + hidden, self.gates * hidden], [self.gates * hidden]]

    def weight_grads(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:
        return [sums[0][:inputs], sums[0][inputs:], sums[1]]

    def _product(
        self, prepared: Sequence[Tensor], x: Tensor | None, h: Tensor, precomputed: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if x is None:
            return h, h @ prepared[0] + precomputed
        joined = tf.concat([x, h], 1)
        gates = tf.nn.bias_add(joined @ prepared[0], prepared[1])
        return joined, gates if precomputed is None else gates + precomputed

    def backward(
        self, prepared: Sequence[Tensor], residuals: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepGrads:
        (d_gates,), rest = self.gate_grads(residuals[1:], d_state)
        weights = [tf.matmul(residuals[0], d_gates, transpose_a=True), bias_grad(out_backprop=d_gates)]
        before = d_gates @ prepared[0]
        if not to_inputs:
            return StepGrads(None, (before, *rest), weights, d_gates)
        hidden = d_gates.shape[1] // self.gates
        dx, dh = tf.split(before, [before.shape[1] - hidden, hidden], 1)
        return StepGrads(dx, (dh, *rest), weights, d_gates)

    def weight_grads_at_once(self, x: Tensor, h: Tensor, gates: Sequence[Tensor]) -> list[Tensor]:
        (d_gates,) = gates
        products = [tf.matmul(left, d_gates, transpose_a=True) for left in (x, h)]
        return [*products, bias_grad(out_backprop=d_gates)]


class Rnn(_Joined):
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""

    parts, gates = 1, 1
    one_product_below = MappingProxyType({"static": math.inf, "dynamic": math.inf})

    def residual_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs + hidden, hidden]

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, precomputed: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        joined, gates = self._product(prepared, x, state[0], precomputed)
        h = tf.tanh(gates)
        return (h,), [joined, h]

    def gate_grads(self, residuals: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        return [tanh_grad(y=residuals[0], dy=d_state[0])], []


class Lstm(_Joined):
    """i,f,g,o = split(x Wx + h Wh + b); c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c')
    (Gers et al. 2000)."""

    parts, gates = 2, 4

    def residual_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs + hidden] + [hidden] * 6

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, precomputed: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        joined, gates = self._product(prepared, x, state[0], precomputed)
        i, f, g, o = tf.split(gates, 4, 1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * state[1] + i * g
        tanh_c = tf.tanh(c)
        return (o * tanh_c, c), [joined, i, f, g, o, state[1], tanh_c]

    def gate_grads(self, residuals: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        i, f, g, o, c_before, tanh_c = residuals
        dh, dc = d_state
        dc = dc + tanh_grad(y=tanh_c, dy=dh * o)
        d_gates = tf.concat(
            [
                sigmoid_grad(y=i, dy=dc * g),
                sigmoid_grad(y=f, dy=dc * c_before),
                tanh_grad(y=g, dy=dc * i),
                sigmoid_grad(y=o, dy=dh * tanh_c),
            ],
            1,
        )
        return [d_gates], [dc * f]


class Gru(KernelCell):
    """r,z = sig(split(x Wx + bx + h Wh + bh)[:2]); n = tanh(x Wxn + bxn + r (h Whn + bhn));
    h' = (1 - z) n + z h (Cho et al. 2014, reset after the product)."""

    weights = ("Wx", "Wh", "bx", "bh")
    parts, gates, input_residuals = 1, 3, 2
    one_product_below = MappingProxyType({"static": 64, "dynamic": 0})

    def residual_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs] + [hidden] * 6

    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        Wx, Wh, bx, bh = weights
        return [Wx, bx, Wh, bh]

    def prepare_hidden(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [weights[1], weights[3]]

    def prepare_backward(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        return [tf.transpose(weights[1])] + ([tf.transpose(weights[0])] if to_inputs else [])

    def accumulators(self, inputs: int, hidden: int) -> list[list[int]]:
        return [[inputs, 3 * hidden], [hidden, 3 * hidden], [3 * hidden], [3 * hidden]]

    def weight_grads(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:  # noqa: ARG002
        return list(sums)

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, precomputed: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        *entering, Wh, bh = prepared
        h, from_x = state[0], precomputed
        if x is not None:
            Wx, bx = entering
            from_x = tf.nn.bias_add(x @ Wx, bx)
            from_x = from_x if precomputed is None else from_x + precomputed
        rx, zx, nx = tf.split(from_x, 3, 1)
        rh, zh, nh = tf.split(tf.nn.bias_add(h @ Wh, bh), 3, 1)
        r, z = tf.sigmoid(rx + rh), tf.sigmoid(zx + zh)
        n = tf.tanh(nx + r * nh)
        h_less_n = h - n
        return (n + z * h_less_n,), [x, h, r, z, n, nh, h_less_n]

    def gate_grads(self, residuals: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        r, z, n, nh, h_less_n = residuals
        dh = d_state[0]
        through = dh * z
        dn = tanh_grad(y=n, dy=dh - through)
        dr, dz = sigmoid_grad(y=r, dy=dn * nh), sigmoid_grad(y=z, dy=dh * h_less_n)
        return [tf.concat([dr, dz, dn], 1), tf.concat([dr, dz, dn * r], 1)], [through]

    def backward(
        self, prepared: Sequence[Tensor], residuals: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepGrads:
        x, h, *rest = residuals
        (d_x_gates, d_h_gates), (through,) = self.gate_grads(rest, d_state)
        weights = [
            tf.matmul(x, d_x_gates, transpose_a=True),
            tf.matmul(h, d_h_gates, transpose_a=True),
            bias_grad(out_backprop=d_x_gates),
            bias_grad(out_backprop=d_h_gates),
        ]
        dx = d_x_gates @ prepared[1] if to_inputs else None
        return StepGrads(dx, (through + d_h_gates @ prepared[0],), weights, d_x_gates)

    def weight_grads_at_once(self, x: Tensor, h: Tensor, gates: Sequence[Tensor]) -> list[Tensor]:
        products = [tf.matmul(e, d, transpose_a=True) for e, d in zip((x, h), gates, strict=True)]
        return [*products, *(bias_grad(out_backprop=d) for d in gates)]


CELLS: dict[str, KernelCell] = {"rnn": Rnn(), "lstm": Lstm(), "gru": Gru()}
"""The cells that have a kernel."""


def has_kernel(name: str) -> bool:
    """Whether the cell called `name` has a kernel of its own here; every other one runs by generic.py."""
    return name in CELLS


def cell_of(name: str) -> KernelCell:
    """Raises ContractError for a name that no kernel has."""
    if name not in CELLS:
        raise ContractError(unknown_name("cell", name, CELLS))
    return CELLS[name]
