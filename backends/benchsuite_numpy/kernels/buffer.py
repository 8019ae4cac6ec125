"""All parameters in one vector, and all gradients in another, so that an update is a few passes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import unflattened
from benchsuite_numpy.runtime import Array, Namespace


class ParameterBuffer:
    """`values` and `gradients` are vectors; `value[name]` and `gradient[name]` are views into them.

    The names and shapes are the kernels', not the canonical ones; every canonical entry occurs exactly once,
    so that elementwise updates and the global norm are the same in both.
    """

    def __init__(self, xp: Namespace, dtype: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
        size = sum(map(math.prod, shapes.values()))
        self.xp = xp
        self.values: Array = xp.zeros(size, dtype)
        self.gradients: Array = xp.zeros(size, dtype)
        self.value: dict[str, Array] = unflattened(self.values, shapes)
        self.gradient: dict[str, Array] = unflattened(self.gradients, shapes)
        ends = itertools.accumulate(map(math.prod, shapes.values()), initial=0)
        self._starts = dict(zip(shapes, ends, strict=False))

    def affine(self, prefix: str) -> tuple[Array, Array]:
        """[W; b] (F + 1, O) and its gradient: the layer `prefix` as one matrix, for products with [x, 1].

        A bias lies right behind its weight, as in the canonical order.
        """
        features, outputs = self.value[f"{prefix}.W"].shape
        start = self._starts[f"{prefix}.W"]
        if self._starts[f"{prefix}.b"] != start + features * outputs:
            raise ValueError(f"{prefix}.b does not lie behind {prefix}.W")
        span, shape = slice(start, start + (features + 1) * outputs), (features + 1, outputs)
        return self.values[span].reshape(shape), self.gradients[span].reshape(shape)

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy host arrays in."""
        for name, array in arrays.items():
            self.value[name][...] = self.xp.asarray(array, self.values.dtype)
