"""GRU kernel, the reset gate after the product.

The new state needs x Wx and h Wh of its third gate apart, so the gates take four blocks: n's input half, r,
z, n's recurrent half. Blocks 0 to 2 then belong to the input, 1 to 3 to the recurrence, both contiguous.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite_numpy.cells.base import Kernel, Step
from benchsuite_numpy.kernels.products import Product
from benchsuite_numpy.runtime import Array


class Gru(Kernel):
    """State [h; 1; x; 1]; Wh (3H, H + 1) rows r, z, n, Wx (3H, I + 1) rows n, r, z; biases last."""

    @staticmethod
    def shapes(inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        return {"Wh": (3 * hidden, hidden + 1), "Wx": (3 * hidden, inputs + 1)}

    @staticmethod
    def pack(canonical: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        r, z, n = np.split(np.hstack([canonical["Wx"].T, canonical["bx"][:, None]]), 3)
        return {
            "Wh": np.hstack([canonical["Wh"].T, canonical["bh"][:, None]]),
            "Wx": np.concatenate([n, r, z]),
        }

    @staticmethod
    def unpack(own: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        n, r, z = np.split(own["Wx"], 3)
        Wx, Wh = np.concatenate([r, z, n]), own["Wh"]
        return {"Wx": Wx[:, :-1].T, "Wh": Wh[:, :-1].T, "bx": Wx[:, -1], "bh": Wh[:, -1]}

    @property
    def state_rows(self) -> int:
        return self.H + self.I + 2

    @property
    def gate_rows(self) -> int:
        return 4 * self.H

    @property
    def x_at(self) -> int:
        return self.H + 1

    @property
    def ones(self) -> list[int]:
        return [self.H, self.state_rows - 1]

    def products(self) -> list[tuple[slice, slice, Array]]:
        H = self.H
        return [
            (slice(H, 4 * H), slice(0, H + 1), self.gradients["Wh"]),
            (slice(0, 3 * H), slice(H + 1, None), self.gradients["Wx"]),
        ]

    def set_up(self) -> None:
        Wh, Wx, H, xp = self.weights["Wh"], self.weights["Wx"], self.H, self.xp
        self._rz = xp.empty((2 * H, self.state_rows), self.dtype)
        self._into_rz = Product(xp, self._rz)
        self._n_h, self._n_x = Product(xp, Wh[2 * H :]), Product(xp, Wx[:H])
        self._back_h, self._back_x = Product(xp, Wh[:, :H].T), Product(xp, Wx[:, : self.I].T)

    def prepare(self) -> None:
        Wh, Wx, H = self.weights["Wh"], self.weights["Wx"], self.H
        self.xp.multiply(Wh[: 2 * H], 0.5, out=self._rz[:, : H + 1])
        self.xp.multiply(Wx[H:], 0.5, out=self._rz[:, H + 1 :])

    def work(self, width: int) -> list[Array]:
        return self.workspace.views("work", 3 * [(self.H, width)])

    def cell_forward(self, step: Step) -> None:
        xp, H, gates = self.xp, self.H, step.gates
        one = self.scratch(step.width)[0]
        n, rz, q = gates[:H], gates[H : 3 * H], gates[3 * H :]
        self._into_rz(step.state, rz)
        self._n_x(step.state[H + 1 :], n)
        self._n_h(step.state[: H + 1], q)
        xp.tanh(rz, out=rz)  # the rows were halved: sig(a) = tanh(a / 2) / 2 + 1 / 2
        xp.multiply(rz, 0.5, out=rz)
        xp.add(rz, 0.5, out=rz)
        xp.multiply(rz[:H], q, out=one)
        xp.add(n, one, out=n)
        xp.tanh(n, out=n)
        xp.subtract(step.h, n, out=one)  # h' = n + z (h - n)
        xp.multiply(one, rz[H:], out=one)
        xp.add(one, n, out=step.out)

    def cell_backward(self, step: Step, grads: list[Array], product: bool) -> list[Array]:
        xp, H, gates = self.xp, self.H, step.gates
        (dh,) = grads
        a, b, kept = self.scratch(step.width)
        n, r, z, q = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]

        xp.multiply(z, dh, out=kept)  # z dh: the part that goes straight back
        xp.subtract(step.h, n, out=a)  # da_z = dh (h - n) z (1 - z)
        xp.multiply(a, kept, out=a)
        xp.multiply(a, z, out=z)
        xp.subtract(a, z, out=z)

        xp.subtract(dh, kept, out=a)  # da_n = dh (1 - z) (1 - n^2)
        xp.multiply(a, n, out=b)
        xp.multiply(b, n, out=b)
        xp.subtract(a, b, out=n)

        xp.multiply(n, r, out=a)  # dL/dq = da_n r, da_r = da_n q r (1 - r)
        xp.multiply(a, q, out=b)
        xp.multiply(b, r, out=r)
        xp.subtract(b, r, out=r)
        q[...] = a
        if product:
            back = step.back[:H]
            self._back_h(gates[H:], back)
            xp.add(back, kept, out=back)
            if self.below:
                self._back_x(gates[: 3 * H], step.back[H:])
        return [step.back[:H]]
