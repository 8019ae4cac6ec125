"""The kernels of rnn, lstm and gru: one step forwards and backwards, and the weights' gradients.

A scan that jax differentiates stores what each operation of a step might need, and makes several passes
where a formula takes one. Written by hand, a training step takes 5 to 30 % less time than through `jax.grad`
of the same scan, more of it the fewer the rows.

B rows, I inputs, H hidden units, G gates. Weights hold `Wx` (I, G*H), `Wh` (H, G*H) and the biases, in the
layout of benchsuite.schema.parameters. A state is a tuple of (B, H) arrays, the first of them the emitted h:
(h,) or, for the LSTM, (h, c). A name that starts with d_ is the derivative of the loss by what it names.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

Weights = Mapping[str, jax.Array]
State = tuple[jax.Array, ...]
States = dict[str, State]
"""States by layer prefix (`rnn.l0.fwd`)."""


class Start(NamedTuple):
    """What a recurrence starts from.

    states  the state before the first step
    fresh   (), 1 where these are the cell's initial values, and 0 where they were passed in
    """

    states: States
    fresh: jax.Array | float


Residuals = tuple[jax.Array, ...]
"""What the backward pass reads of a step in addition to its states: (B, ...), over all steps (T, B, ...)."""


class Step(NamedTuple):
    """What the backward pass reads of a step."""

    before: State
    after: State
    residuals: Residuals


def input_product(x: jax.Array, Wx: jax.Array) -> jax.Array:
    """x (B, I) @ Wx (I, N). With one feature it is an outer product, which fuses as a broadcast, while XLA's
    matrix product over an inner dimension of one is bound by memory."""
    return x * Wx[0] if Wx.shape[0] == 1 else x @ Wx


def sigmoid(x: jax.Array) -> jax.Array:
    """1 / (1 + exp(-x)): XLA's tanh is a quotient of polynomials, cheaper than its exponential."""
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


def product_sum(left: jax.Array, right: jax.Array) -> jax.Array:
    """Sum over all rows of the outer products of left (..., M) and right (..., N): (M, N)."""
    return _rows(left).T @ _rows(right)


def _rows(array: jax.Array) -> jax.Array:
    return array.reshape(-1, array.shape[-1])


class CellKernel(abc.ABC):
    """A recurrent cell whose derivative is written by hand.

    parts            how many (B, H) arrays its state has
    backward_unroll  steps per round of the backward scan, where a step is small
    """

    parts: int
    backward_unroll: int = 1

    @abc.abstractmethod
    def forward(self, w: Weights, x: jax.Array, state: State) -> tuple[State, Residuals]:
        """The state after a step with input x (B, I), and what backward() reads in addition to the states."""

    @abc.abstractmethod
    def backward(self, w: Weights, step: Step, d_after: State) -> tuple[Residuals, State]:
        """d_gates, as weight_grads() and input_grad() read them, and d_before."""

    @abc.abstractmethod
    def weight_grads(self, x: jax.Array, h: jax.Array, d_gates: Residuals) -> dict[str, jax.Array]:
        """d_w, summed over rows and steps, from the steps' x (..., B, I) and the h before them (..., B, H)."""

    @abc.abstractmethod
    def input_grad(self, w: Weights, d_gates: Residuals) -> jax.Array:
        """d_x (..., B, I)."""

    def advance(self, w: Weights, x: jax.Array, state: State) -> State:
        """The state after a step."""
        return self.forward(w, x, state)[0]


class _Summed(CellKernel):
    """Cells whose gates are x Wx + h Wh + b."""

    def _gates(self, w: Weights, x: jax.Array, h: jax.Array) -> jax.Array:
        return input_product(x, w["Wx"]) + h @ w["Wh"] + w["b"]

    def weight_grads(self, x: jax.Array, h: jax.Array, d_gates: Residuals) -> dict[str, jax.Array]:
        (d,) = d_gates
        both = product_sum(jnp.concatenate([x, h], -1), d)
        width = x.shape[-1]
        return {"Wx": both[:width], "Wh": both[width:], "b": _rows(d).sum(0)}

    def input_grad(self, w: Weights, d_gates: Residuals) -> jax.Array:
        return d_gates[0] @ w["Wx"].T


class Rnn(_Summed):
    """h' = tanh(x Wx + h Wh + b)  (Elman 1990).

    A step is so small that the scan's own cost counts: four steps per round take 7 to 12 % off a training step
    at 32 rows of 128 units. For the gated cells XLA makes slower code so, by up to 1.4 times.
    """

    parts, backward_unroll = 1, 4

    def forward(self, w: Weights, x: jax.Array, state: State) -> tuple[State, Residuals]:
        return (jnp.tanh(self._gates(w, x, state[0])),), ()

    def backward(self, w: Weights, step: Step, d_after: State) -> tuple[Residuals, State]:
        d = d_after[0] * (1 - step.after[0] * step.after[0])
        return (d,), (d @ w["Wh"].T,)


class Lstm(_Summed):
    """c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c'); gates i, f, g, o  (Gers et al. 2000)."""

    parts = 2

    def forward(self, w: Weights, x: jax.Array, state: State) -> tuple[State, Residuals]:
        h, c = state
        i, f, g, o = jnp.split(self._gates(w, x, h), 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), jnp.tanh(g), sigmoid(o)
        c = f * c + i * g
        return (o * jnp.tanh(c), c), (i, f, g, o)

    def backward(self, w: Weights, step: Step, d_after: State) -> tuple[Residuals, State]:
        i, f, g, o = step.residuals
        dh, dc = d_after
        tanh_c = jnp.tanh(step.after[1])  # cheaper than to store it
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        di, df, dg, do = dc * g, dc * step.before[1], dc * i, dh * tanh_c
        d = jnp.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)], 1)
        return (d,), (d @ w["Wh"].T, dc * f)


class Gru(CellKernel):
    """n = tanh(n_x + r n_h); h' = (1 - z) n + z h; gates r, z, n, reset after the product (Cho et al. 2014).

    d_gates: those of r, z and n_h side by side, and that of n_x.
    """

    parts = 1

    def forward(self, w: Weights, x: jax.Array, state: State) -> tuple[State, Residuals]:
        (h,) = state
        r_x, z_x, n_x = jnp.split(input_product(x, w["Wx"]) + w["bx"], 3, axis=1)
        r_h, z_h, n_h = jnp.split(h @ w["Wh"] + w["bh"], 3, axis=1)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        n = jnp.tanh(n_x + r * n_h)
        return (n + z * (h - n),), (r, z, n, n_h)

    def backward(self, w: Weights, step: Step, d_after: State) -> tuple[Residuals, State]:
        r, z, n, n_h = step.residuals
        (h,), (dh,) = step.before, d_after
        dn = dh * (1 - z) * (1 - n * n)
        d = jnp.concatenate([dn * n_h * r * (1 - r), dh * (h - n) * z * (1 - z), dn * r], 1)
        return (d, dn), (d @ w["Wh"].T + dh * z,)

    def weight_grads(self, x: jax.Array, h: jax.Array, d_gates: Residuals) -> dict[str, jax.Array]:
        d, dn = d_gates
        two = 2 * dn.shape[-1]
        sums = _rows(d).sum(0)
        return {
            "Wx": jnp.concatenate([product_sum(x, d[..., :two]), product_sum(x, dn)], 1),
            "Wh": product_sum(h, d),
            "bx": jnp.concatenate([sums[:two], _rows(dn).sum(0)]),
            "bh": sums,
        }

    def input_grad(self, w: Weights, d_gates: Residuals) -> jax.Array:
        d, dn = d_gates
        return jnp.concatenate([d[..., : 2 * dn.shape[-1]], dn], -1) @ w["Wx"].T


KERNELS: dict[str, CellKernel] = {"rnn": Rnn(), "lstm": Lstm(), "gru": Gru()}
"""The cells that have one; every other cell, and what a kernel cannot do, runs by benchsuite_jax.generic."""


def kernel_of(
    cell: str, unroll: str, resets: bool = False, recurrent_mask: bool = False
) -> CellKernel | None:
    """The kernel that runs `cell` under `unroll`; None where it runs by its own step.

    :param resets: rows start again in the middle of a sequence. :param recurrent_mask: what a step's products
        read of the state is masked.
    """
    return None if unroll == "scan" or resets or recurrent_mask else KERNELS.get(cell)
