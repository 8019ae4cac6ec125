"""coRNN, the coupled oscillatory network (Rusch and Mishra 2021, arXiv:2010.00951).

    z' = z + dt (tanh(x Wx + [y, z] Wh + b) - gamma y - epsilon z)    y' = y + dt z'

y is the hidden state, the positions of H driven and damped oscillators; z are their velocities. The new
velocity moves the position in the same step (y' reads z', not z). dt = 0.076, gamma = 0.4 and epsilon = 8 are
the authors' for permuted sequential MNIST; they tune them by task, and a subclass may have others. Weights and
bias start as in their code, one linear layer of PyTorch over [x, z, y]: uniform in +-1 / sqrt(I + 2 H).
"""

from __future__ import annotations

from typing import ClassVar

from benchsuite.contracts import Cell, CellParameter, Operations, StatePart
from benchsuite.schema.cells import Array, States, Weights, uniform


class CoupledOscillators(Cell):
    """Parameters Wx (I, H), Wh (2 H, H): of y, then of z; b (H).

    dt       step of time
    gamma    stiffness: how strongly a position is drawn back
    epsilon  damping of the velocity
    """

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("y"), StatePart("z"))
    dt: ClassVar[float] = 0.076
    gamma: ClassVar[float] = 0.4
    epsilon: ClassVar[float] = 8.0

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        bound = (inputs + 2 * hidden) ** -0.5
        drawn = uniform(-bound, bound)
        return {
            "Wx": CellParameter((inputs, hidden), drawn),
            "Wh": CellParameter((2 * hidden, hidden), drawn),
            "b": CellParameter((hidden,), drawn),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        y, z = state
        force = xp.tanh(u + xp.concat([h, z]) @ w["Wh"])
        z = z + self.dt * (force - self.gamma * y - self.epsilon * z)
        return y + self.dt * z, z
