"""Cell: one recurrence, written once over the operations that every backend has.

N rows, I inputs, H hidden units, row vectors (y = x @ W). A layer of the cell is computed in three parts:

    u_t = inputs(x_t)                  of all steps at once: nothing in it depends on the state
    s_t = step(u_t, h_{t-1}, s_{t-1})  step after step
    y_t = output(u_t, s_t)             of all steps at once

Every part of the state and the output are (N, H). The first part of the state is the hidden state h: a
decoder's bridge starts it, additive attention asks with it, recurrent dropout masks it where the step's
products read it, and |dL/dh_t| is the derivative of the loss by it. The backends own everything else: lengths,
masks, directions, stacks, truncation, carried states.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchsuite.schema.cells.operations import Operations

Array = Any
"""An array of whichever framework runs the cell. A cell uses operators and `xp`'s operations on it, nothing
else: no method, no index."""

Weights = Mapping[str, Array]
"""The cell's parameters by name."""

States = tuple[Array, ...]
"""The parts of a state, each (N, H), in the order of Cell.state."""

Initial = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
"""(random, shape) -> the initial values, float64, of that shape."""


@dataclass(frozen=True)
class CellParameter:
    """A parameter of a cell: its shape, and how its initial values are drawn."""

    shape: tuple[int, ...]
    initial: Initial


@dataclass(frozen=True)
class StatePart:
    """A part of a cell's state, (N, H), and the value that it has before the first step."""

    name: str
    initial: float = 0.0


class Cell(abc.ABC):
    """A recurrent cell. It has no state of its own: one object serves every layer.

    state         the parts of its state, the hidden state first
    reads_begins  whether inputs() reads `begins`
    reads_hidden  whether step() reads `h`: such a cell can have recurrent dropout
    """

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("h"),)
    reads_begins: ClassVar[bool] = False
    reads_hidden: ClassVar[bool] = True

    @abc.abstractmethod
    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        """Its parameters by name, in a fixed order. A name has letters, digits and underscores."""

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:  # noqa: ARG002
        """What a step reads of its input: (N, U) for any U, of all steps at once.

        :param x: (N, I), N any number of rows and steps. :param begins: (N, 1): one where the state before the
            step is the initial one (a row's first step, without a state that was passed in), else zero.
        """
        return x

    @abc.abstractmethod
    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        """The state after a step.

        :param u: (N, U), what inputs() gave. :param h: the first part of the state as the step's products read
            it: equal to state[0], but masked where the recipe asks for recurrent dropout.
        :param state: the state before the step.
        """

    def output(self, xp: Operations, w: Weights, u: Array, state: States) -> Array:  # noqa: ARG002
        """What the layer gives at a step, (N, H), of all steps at once: by default the hidden state.

        :param u: (N, U), what inputs() gave. :param state: the state after the step.
        """
        return state[0]


class AffineCell(Cell):
    """A cell whose step is s_t = a_t * s_{t-1} + b_t, elementwise, with a_t and b_t that depend on the input
    alone. It can run as a scan over time (unroll `scan`).

    With one part in its state a and b are real. With two parts they are the real and the imaginary part of
    complex numbers.
    """

    reads_hidden: ClassVar[bool] = False

    @abc.abstractmethod
    def elements(self, xp: Operations, w: Weights, u: Array) -> tuple[States, States]:
        """a and b, each with as many (N, H) parts as the state, of all steps at once.

        :param u: (N, U), what inputs() gave.
        """

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:  # noqa: ARG002
        a, b = self.elements(xp, w, u)
        return affine_step(a, b, state)


def affine_step(a: States, b: States, state: States) -> States:
    """a * state + b, of real numbers (one part) or of complex ones (two parts)."""
    if len(state) == 1:
        return (a[0] * state[0] + b[0],)
    (a_re, a_im), (b_re, b_im), (re, im) = a, b, state
    return a_re * re - a_im * im + b_re, a_re * im + a_im * re + b_im
