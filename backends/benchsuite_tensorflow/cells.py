"""One step of each cell, forwards and backwards.

A loop over steps differentiated by TensorFlow stacks every intermediate value of every step and adds up the
weights' gradient through one more loop variable each. Written out, a step keeps only what its own backward
formula reads, and its kernels (SigmoidGrad, TanhGrad) are those that TensorFlow's differentiation would use.

Shapes: x (B, I), h and c (B, H). Weights in the canonical layout of benchsuite.spec.parameters.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

Tensor = Any
State = tuple[Tensor, ...]
sigmoid_grad, tanh_grad = tf.raw_ops.SigmoidGrad, tf.raw_ops.TanhGrad


@dataclass(frozen=True)
class StepBack:
    """What a step's backward pass gives: dL/dx (None where nobody asks), dL/d(state before), and the step's
    share of each weight gradient, in the order of Cell.accumulators."""

    inputs: Tensor | None
    state: State
    weights: list[Tensor]


class Cell(abc.ABC):
    """A recurrent cell; `weights` are its parameters by their last name, in order."""

    weights: tuple[str, ...]
    parts: int
    """Tensors in its state: (h,) or (h, c)."""
    ahead: int
    """Which of StepBack.weights is dL/d(ahead), too."""

    @abc.abstractmethod
    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        """Columns of each tensor that forward() keeps for backward()."""

    @abc.abstractmethod
    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The weights as forward() reads them, computed once a batch."""

    @abc.abstractmethod
    def prepare_back(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        """The weights as backward() reads them; `to_inputs` asks for dL/dx as well."""

    @abc.abstractmethod
    def forward(
        self, prepared: Sequence[Tensor], x: Tensor, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        """The next state, h first, and what backward() needs.

        ahead  (B, G H): what further inputs add to the gates, their product made ahead of the loop
        """

    @abc.abstractmethod
    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        """From dL/d(state after this step)."""

    @abc.abstractmethod
    def accumulators(self, rows: int, inputs: int, hidden: int) -> list[list[int]]:
        """Shapes of what StepBack.weights adds up to. For the biases these are the gates' gradients
        themselves, (B, G H): adding arrays is cheaper than summing over the rows in every step."""

    @abc.abstractmethod
    def collect(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:
        """Gradients in the order of `weights`, from the sums over all steps."""


class _Joined(Cell):
    """Cells whose gates are one product of [x, h]: the join costs a copy, saves an addition of (B, G H)."""

    weights = ("Wx", "Wh", "b")
    ahead = 1
    gates: int

    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return [tf.concat(weights[:2], 0), weights[2]]

    def prepare_back(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        return [tf.transpose(tf.concat(weights[:2], 0) if to_inputs else weights[1])]

    def accumulators(self, rows: int, inputs: int, hidden: int) -> list[list[int]]:
        return [[inputs + hidden, self.gates * hidden], [rows, self.gates * hidden]]

    def collect(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:
        return [sums[0][:inputs], sums[0][inputs:], tf.reduce_sum(sums[1], 0)]

    def _product(
        self, prepared: Sequence[Tensor], x: Tensor, h: Tensor, ahead: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        joined = tf.concat([x, h], 1)
        gates = tf.nn.bias_add(joined @ prepared[0], prepared[1])
        return joined, gates if ahead is None else gates + ahead

    def _product_back(
        self, prepared: Sequence[Tensor], joined: Tensor, d_gates: Tensor, to_inputs: bool
    ) -> tuple[Tensor | None, Tensor, list[Tensor]]:
        weights = [tf.matmul(joined, d_gates, transpose_a=True), d_gates]
        before = d_gates @ prepared[0]
        if not to_inputs:
            return None, before, weights
        hidden = d_gates.shape[1] // self.gates
        dx, dh = tf.split(before, [before.shape[1] - hidden, hidden], 1)
        return dx, dh, weights


class Rnn(_Joined):
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""

    parts, gates = 1, 1

    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs + hidden, hidden]

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        joined, gates = self._product(prepared, x, state[0], ahead)
        h = tf.tanh(gates)
        return (h,), [joined, h]

    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        joined, h = kept
        dx, dh, weights = self._product_back(prepared, joined, tanh_grad(y=h, dy=d_state[0]), to_inputs)
        return StepBack(dx, (dh,), weights)


class Lstm(_Joined):
    """i,f,g,o = split(x Wx + h Wh + b); c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c')
    (Gers et al. 2000)."""

    parts, gates = 2, 4

    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs + hidden] + [hidden] * 6

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        joined, gates = self._product(prepared, x, state[0], ahead)
        i, f, g, o = tf.split(gates, 4, 1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * state[1] + i * g
        bent = tf.tanh(c)
        return (o * bent, c), [joined, i, f, g, o, state[1], bent]

    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        joined, i, f, g, o, c_before, bent = kept
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
        dx, dh_before, weights = self._product_back(prepared, joined, d_gates, to_inputs)
        return StepBack(dx, (dh_before, dc * f), weights)


class Gru(Cell):
    """r,z = sig(split(x Wx + bx + h Wh + bh)[:2]); n = tanh(x Wxn + bxn + r (h Whn + bhn));
    h' = (1 - z) n + z h (Cho et al. 2014, reset after the product)."""

    weights = ("Wx", "Wh", "bx", "bh")
    parts, ahead = 1, 2

    def kept_widths(self, inputs: int, hidden: int) -> list[int]:
        return [inputs] + [hidden] * 6

    def prepare(self, weights: Sequence[Tensor]) -> list[Tensor]:
        return list(weights)

    def prepare_back(self, weights: Sequence[Tensor], to_inputs: bool) -> list[Tensor]:
        return [tf.transpose(weights[1])] + ([tf.transpose(weights[0])] if to_inputs else [])

    def accumulators(self, rows: int, inputs: int, hidden: int) -> list[list[int]]:
        return [[inputs, 3 * hidden], [hidden, 3 * hidden], [rows, 3 * hidden], [rows, 3 * hidden]]

    def collect(self, sums: Sequence[Tensor], inputs: int) -> list[Tensor]:  # noqa: ARG002
        return [*sums[:2], tf.reduce_sum(sums[2], 0), tf.reduce_sum(sums[3], 0)]

    def forward(
        self, prepared: Sequence[Tensor], x: Tensor, state: State, ahead: Tensor | None = None
    ) -> tuple[State, list[Tensor]]:
        Wx, Wh, bx, bh = prepared
        h = state[0]
        from_x = tf.nn.bias_add(x @ Wx, bx)
        rx, zx, nx = tf.split(from_x if ahead is None else from_x + ahead, 3, 1)
        rh, zh, nh = tf.split(tf.nn.bias_add(h @ Wh, bh), 3, 1)
        r, z = tf.sigmoid(rx + rh), tf.sigmoid(zx + zh)
        n = tf.tanh(nx + r * nh)
        apart = h - n
        return (n + z * apart,), [x, h, r, z, n, nh, apart]

    def backward(
        self, prepared: Sequence[Tensor], kept: Sequence[Tensor], d_state: State, to_inputs: bool
    ) -> StepBack:
        x, h, r, z, n, nh, apart = kept
        dh = d_state[0]
        through = dh * z
        dn = tanh_grad(y=n, dy=dh - through)
        dr, dz = sigmoid_grad(y=r, dy=dn * nh), sigmoid_grad(y=z, dy=dh * apart)
        d_x_gates, d_h_gates = tf.concat([dr, dz, dn], 1), tf.concat([dr, dz, dn * r], 1)
        weights = [
            tf.matmul(x, d_x_gates, transpose_a=True),
            tf.matmul(h, d_h_gates, transpose_a=True),
            d_x_gates,
            d_h_gates,
        ]
        dx = d_x_gates @ prepared[1] if to_inputs else None
        return StepBack(dx, (through + d_h_gates @ prepared[0],), weights)


CELLS: dict[str, Cell] = {"rnn": Rnn(), "lstm": Lstm(), "gru": Gru()}
