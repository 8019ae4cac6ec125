"""Clipping and the update rules over the buffers, in blocks that stay in cache."""

from __future__ import annotations

import math
from collections.abc import Callable

from benchsuite.contracts import AVERAGES
from benchsuite.schema import Recipe, learning_rate
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.runtime import Array, DeviceContext

BLOCK = 16384
"""Entries a block: its parameters, gradients, moments and temporaries fit in an L2 cache of half a MiB."""


class Optimiser:
    """Updates `buffer.values` from `buffer.gradients` by the recipe's rule.

    On a GPU one block is the whole vector, and the norm never leaves the device.
    """

    def __init__(self, device: DeviceContext, recipe: Recipe, buffer: ParameterBuffer) -> None:
        self._xp, self._recipe, self._buffer = device.xp, recipe, buffer
        self._steps, self._rate = 0, recipe.learning_rate
        size = buffer.values.size
        block = size if device.on_gpu else BLOCK
        self._blocks = [slice(start, start + block) for start in range(0, size, block)]
        self._moments = [self._xp.zeros_like(buffer.values) for _ in AVERAGES[recipe.optimiser]]
        self._work = [self._xp.empty(min(block, size), buffer.values.dtype) for _ in range(2)]

    def norm(self) -> Array:
        """Global L2 norm of the gradients: of no dimension, float64; blocks are added in double precision."""
        g = self._buffer.gradients
        squares = [self._xp.dot(g[block], g[block]).astype("float64") for block in self._blocks]
        return self._xp.sqrt(sum(squares[1:], squares[0]))

    def peak(self) -> Array:
        """Largest absolute gradient entry."""
        g = self._buffer.gradients
        return self._xp.maximum(g.max(), -g.min()).astype("float64")

    def step(self) -> Array | None:
        """Clip and update; the norm or peak before clipping, whichever the recipe clips by."""
        recipe, xp, g = self._recipe, self._xp, self._buffer.gradients
        measured: Array | None = None
        scale: Array = None
        if recipe.clip == "norm":
            measured = self.norm()
            scale = (recipe.clip_at / xp.maximum(measured, recipe.clip_at)).astype(g.dtype)
        elif recipe.clip == "value":
            measured = self.peak()
        self._steps += 1
        self._rate = learning_rate(recipe, self._steps)
        kept = 1 - self._rate * recipe.weight_decay
        update = self._rule()
        for block in self._blocks:
            part = g[block]
            if scale is not None:
                xp.multiply(part, scale, out=part)
            elif recipe.clip == "value":
                xp.clip(part, -recipe.clip_at, recipe.clip_at, out=part)
            work = [array[: part.size] for array in self._work]
            values = self._buffer.values[block]
            if recipe.weight_decay:
                xp.multiply(values, kept, out=values)
            update(values, part, *(moment[block] for moment in self._moments), work)
        return measured

    def _rule(self) -> Callable[..., None]:
        """update(p, g, *moments, temporaries), all of one block."""
        rules: dict[str, Callable[..., None]] = {
            "sgd": self._sgd,
            "momentum": self._momentum,
            "rmsprop": self._rmsprop,
            "adam": self._adam,
        }
        return rules[self._recipe.optimiser]

    def _sgd(self, p: Array, g: Array, work: list[Array]) -> None:
        self._subtract(p, g, work[0])

    def _momentum(self, p: Array, g: Array, v: Array, work: list[Array]) -> None:
        self._xp.multiply(v, self._recipe.momentum, out=v)
        self._xp.add(v, g, out=v)
        self._subtract(p, v, work[0])

    def _subtract(self, p: Array, direction: Array, a: Array) -> None:
        self._xp.multiply(direction, self._rate, out=a)
        self._xp.subtract(p, a, out=p)

    def _second_moment(self, s: Array, g: Array, decay: float, a: Array) -> None:
        """s = decay s + (1 - decay) g^2."""
        self._xp.multiply(g, g, out=a)
        self._xp.multiply(a, 1 - decay, out=a)
        self._xp.multiply(s, decay, out=s)
        self._xp.add(s, a, out=s)

    def _rmsprop(self, p: Array, g: Array, s: Array, work: list[Array]) -> None:
        a, b = work
        self._second_moment(s, g, self._recipe.rho, a)
        self._xp.sqrt(s, out=a)
        self._xp.add(a, self._recipe.epsilon, out=a)
        self._xp.divide(g, a, out=b)
        self._subtract(p, b, b)

    def _adam(self, p: Array, g: Array, m: Array, v: Array, work: list[Array]) -> None:
        """p -= lr m^ / (sqrt(v^) + eps), with the corrections moved out of the vectors:

        lr m / c1 / (sqrt(v) / c2 + eps) = (lr c2 / c1) m / (sqrt(v) + eps c2), in double precision,
        c1 = 1 - beta1^t, c2 = sqrt(1 - beta2^t).
        """
        xp, recipe = self._xp, self._recipe
        a = work[0]
        c1 = 1 - recipe.beta1**self._steps
        c2 = math.sqrt(1 - recipe.beta2**self._steps)
        xp.multiply(g, 1 - recipe.beta1, out=a)
        xp.multiply(m, recipe.beta1, out=m)
        xp.add(m, a, out=m)
        self._second_moment(v, g, recipe.beta2, a)
        xp.sqrt(v, out=a)
        xp.add(a, recipe.epsilon * c2, out=a)
        xp.divide(m, a, out=a)
        xp.multiply(a, self._rate * c2 / c1, out=a)
        xp.subtract(p, a, out=p)
