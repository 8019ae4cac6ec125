"""LRU, the linear recurrent unit (Orvieto et al. 2023, arXiv:2303.06349, section 3 and appendix A).

    lam = exp(-exp(nu) + i exp(theta))    s' = lam s + exp(gamma) (x B)    y = Re(s' C) + x D

s, lam, B and C are complex, kept as pairs of reals; |lam| < 1 for every nu. The layer is linear in x. lam
starts uniformly on the ring 0.9 < |lam| < 0.999 with phases in (0, 2 pi), and exp(gamma) at sqrt(1 -
|lam|^2), which gives s the variance of x B. The paper tunes the ring by task; its listing starts at 0 and
1, a ring of short memories. B, C, D start as in the listing, where D is a vector because inputs and outputs
are equally wide: here D is a matrix (I, H).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchsuite.contracts import AffineCell, CellParameter, Operations, StatePart
from benchsuite.schema.cells import Array, States, Weights, gates, normal

R_MIN, R_MAX, MAX_PHASE = 0.9, 0.999, 6.28


def ring(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """nu, theta and gamma (3 H): lam uniform on the ring's area, gamma = log sqrt(1 - |lam|^2)."""
    area, phase = random.uniform(size=(2, shape[0] // 3))
    squared = area * (R_MAX**2 - R_MIN**2) + R_MIN**2
    nu, theta = np.log(-0.5 * np.log(squared)), np.log(MAX_PHASE * (1 - phase))
    return np.concatenate([nu, theta, 0.5 * np.log1p(-squared)])


class LinearRecurrentUnit(AffineCell):
    """Parameters Wx (I, 3 H): Re B, Im B, D; C (2 H, H): Re C above -Im C; ring (3 H): nu, theta, gamma."""

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("re"), StatePart("im"))

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        half = normal((2 * inputs) ** -0.5)
        return {
            "Wx": CellParameter((inputs, 3 * hidden), gates(half, half, normal(inputs**-0.5))),
            "C": CellParameter((2 * hidden, hidden), normal(hidden**-0.5)),
            "ring": CellParameter((3 * hidden,), ring),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        re, im, through = xp.split(x @ w["Wx"], 3)
        scale = xp.exp(xp.split(w["ring"], 3)[2])
        return xp.concat([scale * re, scale * im, through])

    def elements(self, xp: Operations, w: Weights, u: Array) -> tuple[States, States]:
        re, im, _ = xp.split(u, 3)
        nu, theta, _ = xp.split(w["ring"], 3)
        radius, phase, ones = xp.exp(-xp.exp(nu)), xp.exp(theta), xp.ones_like(re)
        return (radius * xp.cos(phase) * ones, radius * xp.sin(phase) * ones), (re, im)

    def output(self, xp: Operations, w: Weights, u: Array, state: States) -> Array:
        return xp.concat([state[0], state[1]]) @ w["C"] + xp.split(u, 3)[2]
