"""LSTM kernel: one product and one tanh a step serve all four gates.

sig(a) = tanh(a / 2) / 2 + 1 / 2, so with the rows of i, f, o halved beforehand a single tanh over the whole
block gives every gate; it cannot overflow, whatever the pre-activation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite_numpy.cells.base import Kernel, Step, stored_widths
from benchsuite_numpy.kernels.products import Product
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.runtime import Array


@dataclass
class Cells:
    """The LSTM's part of a step: c before and after, and tanh of the latter, all (H, w)."""

    c: Array
    new_c: Array
    tanh_c: Array


@dataclass
class Work:
    """Temporaries of one width: `one` (H, w); pairs (2, H, w), two of them taking turns to hold dL/dc."""

    one: Array
    pair: Array
    turns: list[Array]


class Lstm(Kernel):
    """State [h; x; 1]; W (4H, H + I + 1), rows i, f, o, g, so that the sigmoids are one block."""

    parts = 2

    @staticmethod
    def shapes(inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        return {"W": (4 * hidden, hidden + inputs + 1)}

    @staticmethod
    def pack(canonical: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        W = np.hstack([canonical["Wh"].T, canonical["Wx"].T, canonical["b"][:, None]])
        i, f, g, o = np.split(W, 4)
        return {"W": np.concatenate([i, f, o, g])}

    @staticmethod
    def unpack(own: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        i, f, o, g = np.split(own["W"], 4)
        W, hidden = np.concatenate([i, f, g, o]), len(i)
        return {"Wx": W[:, hidden:-1].T, "Wh": W[:, :hidden].T, "b": W[:, -1]}

    @property
    def state_rows(self) -> int:
        return self.H + self.I + 1

    @property
    def gate_rows(self) -> int:
        return 4 * self.H

    @property
    def x_at(self) -> int:
        return self.H

    @property
    def ones(self) -> list[int]:
        return [self.state_rows - 1]

    def products(self) -> list[tuple[slice, slice, Array]]:
        return [(slice(None), slice(None), self.gradients["W"])]

    def set_up(self) -> None:
        W = self.weights["W"]
        self._W = self.xp.empty_like(W)
        self._into_gates = Product(self.xp, self._W)
        self._back = Product(self.xp, W[:, : self.back_rows].T)

    def prepare(self) -> None:
        W, H = self.weights["W"], self.H
        self.xp.multiply(W[: 3 * H], 0.5, out=self._W[: 3 * H])
        self._W[3 * H :] = W[3 * H :]

    def lay_out(self, plan: Plan, keep: bool) -> list[Step]:
        steps = super().lay_out(plan, keep)
        stored = stored_widths([step.width for step in steps])
        cells = self.workspace.views("cells", [(self.H, w) for w in stored])
        per_step = self.workspace.views if keep else self.workspace.overlaid
        tanh_c = per_step("tanh_c", [(self.H, step.width) for step in steps])
        for s, step in enumerate(steps):
            w, after = step.width, cells[s + 1]
            step.extra = Cells(cells[s][:, :w], after[:, :w], tanh_c[s])
            if step.starting_columns:
                step.starting_columns.append(after[:, self.starting(plan, step.t)])
        return steps

    def first_state(self) -> list[Array]:
        return [self.steps[0].h, self.steps[0].extra.c]

    def state_after(self, step: Step) -> list[Array]:
        return [step.out, step.extra.new_c]

    def work(self, width: int) -> Work:
        shapes: list[tuple[int, ...]] = [(self.H, width), *3 * [(2, self.H, width)]]
        one, *pairs = self.workspace.views("work", shapes)
        return Work(one, pairs[0], pairs[1:])

    def cell_forward(self, step: Step) -> None:
        xp, H, z, cells = self.xp, self.H, step.gates, step.extra
        one = self.scratch(step.width).one
        self._into_gates(step.state, z)
        xp.tanh(z, out=z)
        sigmoids = z[: 3 * H]
        xp.multiply(sigmoids, 0.5, out=sigmoids)
        xp.add(sigmoids, 0.5, out=sigmoids)
        xp.multiply(z[H : 2 * H], cells.c, out=cells.new_c)
        xp.multiply(z[:H], z[3 * H :], out=one)
        xp.add(cells.new_c, one, out=cells.new_c)
        xp.tanh(cells.new_c, out=cells.tanh_c)
        xp.multiply(z[2 * H : 3 * H], cells.tanh_c, out=step.out)

    def cell_backward(self, step: Step, grads: list[Array], product: bool) -> list[Array]:
        """With s' = s (1 - s) and tanh' = 1 - tanh^2, each computed as a - a s to save a pass."""
        xp, H, z, cells = self.xp, self.H, step.gates, step.extra
        dh, dc = grads
        work = self.scratch(step.width)
        one, pair = work.one, work.pair
        through = work.turns[step.t % 2]  # the other one holds dc
        o, g = z[2 * H : 3 * H], z[3 * H :]
        both = z[: 2 * H].reshape(through.shape)  # i and f

        xp.multiply(step.out, cells.tanh_c, out=one)  # dc += dh (o - h tanh c)
        xp.subtract(o, one, out=one)
        xp.multiply(one, dh, out=one)
        xp.add(dc, one, out=dc)

        xp.multiply(dh, step.out, out=one)  # da_o = dh h (1 - o)
        xp.multiply(one, o, out=o)
        xp.subtract(one, o, out=o)

        xp.multiply(both, dc, out=through)  # dc i, and dc f = dL/dc before the step
        xp.multiply(through[0], g, out=pair[0])
        xp.multiply(through[1], cells.c, out=pair[1])
        xp.multiply(pair, both, out=both)  # da_i = dc g i (1 - i), da_f = dc c f (1 - f)
        xp.subtract(pair, both, out=both)
        xp.multiply(pair[0], g, out=g)  # da_g = dc i (1 - g^2)
        xp.subtract(through[0], g, out=g)
        if product:
            self._back(z, step.back)
        return [step.back[:H], through[1]]
