"""One step of each cell, forwards and backwards.

A loop over steps differentiated by TensorFlow stacks every intermediate value of every step and adds up the
weights' gradient through one more loop variable each. Generated out, a step keeps only what its own backward
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

Tensor = Any
State = tuple[Tensor, ...]
sigmoid_grad, tanh_grad = tf.raw_ops.SigmoidGrad, tf.raw_ops.TanhGrad
bias_grad = tf.raw_ops.BiasAddGrad
"""A sum over the rows, by the kernel that TensorFlow has for it."""


@dataclass(frozen=True)
class StepBack:
    """What a step's backward pass gives: dL/dx (None where nobody asks), dL/d(state before), the step's share
    of each weight gradient, in the order of Cell.accumulators, and dL/d(ahead) (B, G H)."""

    inputs: Tensor | None
    state: State
    weights: list[Tensor]
    ahead: Tensor


class Cell(abc.ABC):
    """A recurrent cell; `weights` are its parameters by their last name, in order."""

    weights: tuple[str, ...]
    parts: int
    """Tensors in its state: (h,) or (h, c)."""
    gates: int
    """Columns of Wx over H."""
    entered: int
    """Tensors at the head of what forward() keeps that only the weights' gradients read, x and h; as many as
    slopes() gives gates."""
    whole_below: Mapping[str, float]
    """Rows B, by unroll, below which the weights' gradients are one product over all steps. It saves each step
    its sums, and has all gates' gradients written to memory and read again: worth it where a step is small."""

    @abc.abstractmethod
    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        """Columns of each tensor that forward() keeps for backward()."""

    @abc.abstractmethod
    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The weights as forward() reads them, computed once a batch."""

    @abc.abstractmethod
    def prepare_hidden(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """As prepare(), for steps whose inputs' product is made ahead."""

    @abc.abstractmethod
    def prepare_back(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        """The weights as backward() reads them; `to_inputs` asks for dL/dx as well."""

    @abc.abstractmethod
    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        """The next state, h first, and what backward() needs.

        ahead  (B, G H): what further inputs add to the gates, their product made ahead of the loop. Where x is
               None, all that inputs and their bias add; `prepared` are then those of prepare_hidden()
        """

    @abc.abstractmethod
    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        """From dL/d(state after this step)."""

    @abc.abstractmethod
    def slopes(self, kept: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        """dL/d(gates), the last of them (B, G H) those of the product with h; and what reaches the state before
        by other ways, h's share first where there is one. `kept` without what entered."""

    @abc.abstractmethod
    def collect_whole(self, x: Tensor, h: Tensor, gates: Sequence[Tensor]) -> list[Tensor]:
        """Gradients in the order of `weights` from the steps together: x (N, I) and h (N, H) that entered them,
        the gates' gradients (N, G H)."""

    @abc.abstractmethod
    def accumulators(self, inputs: int, hidden: int) -> list[list[int]]:
        """Shapes of what StepBack.weights adds up to."""

    @abc.abstractmethod
    def collect(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:
        """Gradients in the order of `weights`, from the sums over all steps."""


class _Joined(Cell):
    """Cells whose gates are one product of [x, h]: the join costs a copy, saves an addition of (B, G H)."""

    weights = ("Wx", "Wh", "b")
    entered = 1
    whole_below = MappingProxyType({"static": 64, "dynamic": 64})

    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [tf.concat(weights[:2], 0), weights[2]]

    def prepare_hidden(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [weights[1]]

    def prepare_back(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        return [tf.transpose(tf.concat(weights[:2], 0) if to_inputs else weights[1])]

    def accumulators(self, inputs: int, hidden: int) -> list[list[int]]:
        return [[inputs + hidden, self.gates * hidden], [self.gates * hidden]]

    def collect(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:
        return [sums[0][:inputs], sums[0][inputs:], sums[1]]

    def _product(
        self, prepared: Sequence[Tensor], x: Tensor | None, h: Tensor, ahead: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if x is None:
            return h, h @ prepared[0] + ahead
        joined = tf.concat([x, h], 1)
        gates = tf.nn.bias_add(joined @ prepared[0], prepared[1])
        return joined, gates if ahead is None else gates + ahead

    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        (d_gates,), rest = self.slopes(kept[1:], d_state)
        weights = [tf.matmul(kept[0], d_gates, transpose_a=True), bias_grad(out_backprop=d_gates)]
        before = d_gates @ prepared[0]
        if not to_inputs:
            return StepBack(None, (before, *rest), weights, d_gates)
        hidden = d_gates.shape[1] // self.gates
        dx, dh = tf.split(before, [before.shape[1] - hidden, hidden], 1)
        return StepBack(dx, (dh, *rest), weights, d_gates)

    def collect_whole(self, x: Tensor, h: Tensor, gates: Sequence[Tensor]) -> list[Tensor]:
        (d_gates,) = gates
        products = [tf.matmul(entered, d_gates, transpose_a=True) for entered in (x, h)]
        return [*products, bias_grad(out_backprop=d_gates)]


class Rnn(_Joined):
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""

    parts, gates = 1, 1
    whole_below = MappingProxyType({"static": math.inf, "dynamic": math.inf})

    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs + hidden, hidden]

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        joined, gates = self._product(prepared, x, state[0], ahead)
        h = tf.tanh(gates)
        return (h,), [joined, h]

    def slopes(self, kept: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        return [tanh_grad(y=kept[0], dy=d_state[0])], []


class Lstm(_Joined):
    """i,f,g,o = split(x Wx + h Wh + b); c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c')
    (Gers et al. 2000)."""

    parts, gates = 2, 4

    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs + hidden] + [hidden] * 6

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        joined, gates = self._product(prepared, x, state[0], ahead)
        i, f, g, o = tf.split(gates, 4, 1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * state[1] + i * g
        bent = tf.tanh(c)
        return (o * bent, c), [joined, i, f, g, o, state[1], bent]

    def slopes(self, kept: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        i, f, g, o, c_before, bent = kept
        dh, dc = d_state
        dc = dc + tanh_grad(y=bent, dy=dh * o)
        d_gates = tf.concat(
            [
                sigmoid_grad(y=i, dy=dc * g),
                sigmoid_grad(y=f, dy=dc * c_before),
                tanh_grad(y=g, dy=dc * i),
                sigmoid_grad(y=o, dy=dh * bent),
            ],
            1,
        )
        return [d_gates], [dc * f]


class Gru(Cell):
    """r,z = sig(split(x Wx + bx + h Wh + bh)[:2]); n = tanh(x Wxn + bxn + r (h Whn + bhn));
    h' = (1 - z) n + z h (Cho et al. 2014, reset after the product)."""

    weights = ("Wx", "Wh", "bx", "bh")
    parts, gates, entered = 1, 3, 2
    whole_below = MappingProxyType({"static": 64, "dynamic": 0})

    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs] + [hidden] * 6

    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        Wx, Wh, bx, bh = weights
        return [Wx, bx, Wh, bh]

    def prepare_hidden(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [weights[1], weights[3]]

    def prepare_back(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        return [tf.transpose(weights[1])] + ([tf.transpose(weights[0])] if to_inputs else [])

    def accumulators(self, inputs: int, hidden: int) -> list[list[int]]:
        return [[inputs, 3 * hidden], [hidden, 3 * hidden], [3 * hidden], [3 * hidden]]

    def collect(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:  # noqa: ARG002
        return list(sums)

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor | None, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        *entering, Wh, bh = prepared
        h, from_x = state[0], ahead
        if x is not None:
            Wx, bx = entering
            from_x = tf.nn.bias_add(x @ Wx, bx)
            from_x = from_x if ahead is None else from_x + ahead
        rx, zx, nx = tf.split(from_x, 3, 1)
        rh, zh, nh = tf.split(tf.nn.bias_add(h @ Wh, bh), 3, 1)
        r, z = tf.sigmoid(rx + rh), tf.sigmoid(zx + zh)
        n = tf.tanh(nx + r * nh)
        apart = h - n
        return (n + z * apart,), [x, h, r, z, n, nh, apart]

    def slopes(self, kept: Sequence[Tensor], d_state: State) -> tuple[list[Tensor], list[Tensor]]:
        r, z, n, nh, apart = kept
        dh = d_state[0]
        through = dh * z
        dn = tanh_grad(y=n, dy=dh - through)
        dr, dz = sigmoid_grad(y=r, dy=dn * nh), sigmoid_grad(y=z, dy=dh * apart)
        return [tf.concat([dr, dz, dn], 1), tf.concat([dr, dz, dn * r], 1)], [through]

    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        x, h, *rest = kept
        (d_x_gates, d_h_gates), (through,) = self.slopes(rest, d_state)
        weights = [
            tf.matmul(x, d_x_gates, transpose_a=True),
            tf.matmul(h, d_h_gates, transpose_a=True),
            bias_grad(out_backprop=d_x_gates),
            bias_grad(out_backprop=d_h_gates),
        ]
        dx = d_x_gates @ prepared[1] if to_inputs else None
        return StepBack(dx, (through + d_h_gates @ prepared[0],), weights, d_x_gates)

    def collect_whole(self, x: Tensor, h: Tensor, gates: Sequence[Tensor]) -> list[Tensor]:
        products = [tf.matmul(e, d, transpose_a=True) for e, d in zip((x, h), gates, strict=True)]
        return [*products, *(bias_grad(out_backprop=d) for d in gates)]


CELLS: dict[str, Cell] = {"rnn": Rnn(), "lstm": Lstm(), "gru": Gru()}
