"""RG-LRU, the real-gated linear recurrent unit (De et al. 2024, arXiv:2402.19427, section 2.4).

    v = x Wx + bx    r = sig(v Wr + br)    i = sig(v Wi + bi)
    log a = -8 r softplus(L)               h' = a h + k (i v),  k = sqrt(1 - a^2), and 1 at a row's first step

The published unit is as wide as its input; the projection to v is the linear layer before it in Griffin,
and its gates are dense (one block). Its code bounds the root's derivative by 1000 in the backward pass.
Here the function itself is bounded so: k = y / sqrt(max(y, 1e-6)), y = 1 - a^2, which is sqrt(y) from y =
1e-6 on, and 1000 y below, so that a closed gate adds nothing. y is -expm1(2 log a), exact near 0. a at r =
1 starts uniformly in 0.9 to 0.999, as the paper says; the code starts a^(1/8) there. Matrices start normal
with variance 1 / fan in.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchsuite.contracts import AffineCell, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, normal

SPEED, LEAST = 8.0, 1e-6


def decays(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """L such that exp(-8 softplus(L)) is uniform in 0.9 to 0.999."""
    slowest = -np.log(random.uniform(0.9, 0.999, shape)) / SPEED
    return np.log(np.expm1(slowest))


class RealGatedLru(AffineCell):
    """Parameters Wx (I, H), bx (H); Wg (H, 2 H), bg (2 H): gates r, i; L (H)."""

    reads_begins: ClassVar[bool] = True

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "Wx": CellParameter((inputs, hidden), normal(inputs**-0.5)),
            "bx": CellParameter((hidden,), constant(0.0)),
            "Wg": CellParameter((hidden, 2 * hidden), normal(hidden**-0.5)),
            "bg": CellParameter((2 * hidden,), constant(0.0)),
            "L": CellParameter((hidden,), decays),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        v = x @ w["Wx"] + w["bx"]
        r, i = xp.split(xp.sigmoid(v @ w["Wg"] + w["bg"]), 2)
        log_a = -SPEED * r * xp.softplus(w["L"])
        rest = -xp.expm1(2 * log_a)
        root = rest / xp.sqrt(xp.maximum(rest, LEAST))
        return xp.concat([xp.exp(log_a), (begins + (1 - begins) * root) * i * v])

    def elements(self, xp: Operations, w: Weights, u: Array) -> tuple[States, States]:
        a, b = xp.split(u, 2)
        return (a,), (b,)
