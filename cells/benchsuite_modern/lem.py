"""LEM, long expressive memory (Rusch et al. 2022, arXiv:2110.04744, eq. 3).

    s, t = dt sig(x V + y W + b)            two time steps by unit
    z' = (1 - t) z + t tanh(x V_z + y W_z + b_z)
    y' = (1 - s) y + s tanh(x V_y + z' W_y + b_y)

y is the hidden state. It reads the new z', not z. dt = 0.31 is the authors' for permuted sequential MNIST; they
tune it by task (0.0242 for adding), and a subclass may have another. Everything starts uniform in
+-1 / sqrt(H), as in their code, which trains two biases in each sum: here each sum has one.
"""

from __future__ import annotations

from typing import ClassVar

from benchsuite.contracts import Cell, CellParameter, Operations, StatePart
from benchsuite.schema.cells import Array, States, Weights, uniform


class LongExpressiveMemory(Cell):
    """Parameters Wx (I, 4 H), b (4 H): s, t, z, y; Wh (H, 3 H): s, t, z; Wz (H, H): of z' in y'.

    dt  largest step of time
    """

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("y"), StatePart("z"))
    dt: ClassVar[float] = 0.31

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        drawn = uniform(-(hidden**-0.5), hidden**-0.5)
        return {
            "Wx": CellParameter((inputs, 4 * hidden), drawn),
            "Wh": CellParameter((hidden, 3 * hidden), drawn),
            "Wz": CellParameter((hidden, hidden), drawn),
            "b": CellParameter((4 * hidden,), drawn),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        y, z = state
        x_s, x_t, x_z, x_y = xp.split(u, 4)
        h_s, h_t, h_z = xp.split(h @ w["Wh"], 3)
        s, t = self.dt * xp.sigmoid(x_s + h_s), self.dt * xp.sigmoid(x_t + h_t)
        z = (1 - t) * z + t * xp.tanh(x_z + h_z)
        return (1 - s) * y + s * xp.tanh(x_y + z @ w["Wz"]), z
