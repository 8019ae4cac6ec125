"""Plain recurrent kernel: h' = tanh(W [h; x; 1])."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite_numpy.cells.base import Kernel, Step
from benchsuite_numpy.kernels.products import Product
from benchsuite_numpy.runtime import Array


class Rnn(Kernel):
    """State [h; x; 1]; W (H, H + I + 1)."""

    @staticmethod
    def shapes(inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        return {"W": (hidden, hidden + inputs + 1)}

    @staticmethod
    def pack(canonical: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"W": np.hstack([canonical["Wh"].T, canonical["Wx"].T, canonical["b"][:, None]])}

    @staticmethod
    def unpack(own: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        W = own["W"]
        hidden = W.shape[0]
        return {"Wx": W[:, hidden:-1].T, "Wh": W[:, :hidden].T, "b": W[:, -1]}

    @property
    def state_rows(self) -> int:
        return self.H + self.I + 1

    @property
    def gate_rows(self) -> int:
        return self.H

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
        self._into_gates = Product(self.xp, W)
        self._back = Product(self.xp, W[:, : self.back_rows].T)

    def prepare(self) -> None:
        """The weights are used as they are."""

    def work(self, width: int) -> None:
        """None are needed: tanh is kept in the next state, so the gates' memory is free."""

    def cell_forward(self, step: Step) -> None:
        self._into_gates(step.state, step.gates)
        self.xp.tanh(step.gates, out=step.out)

    def cell_backward(self, step: Step, grads: list[Array], product: bool) -> list[Array]:
        xp, (dh,), da = self.xp, grads, step.gates
        xp.multiply(step.out, step.out, out=da)
        xp.multiply(da, dh, out=da)
        xp.subtract(dh, da, out=da)
        if product:
            self._back(da, step.back)
        return [step.back[: self.H]]
