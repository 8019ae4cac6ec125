"""All parameters in one vector, and all gradients in another, so that an update is a few passes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite_numpy.arrays import Array, Namespace


class Flat:
    """`values` and `gradients` are vectors; `value[name]` and `gradient[name]` are views into them.

    The names and shapes are the kernels', not the canonical ones; every canonical entry occurs exactly once,
    so that elementwise updates and the global norm are the same in both.
    """

    def __init__(self, xp: Namespace, dtype: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        self.xp = xp
        self.values: Array = xp.zeros(size, dtype)
        self.gradients: Array = xp.zeros(size, dtype)
        self.value: dict[str, Array] = {}
        self.gradient: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            end = start + int(np.prod(shape))
            self.value[name] = self.values[start:end].reshape(shape)
            self.gradient[name] = self.gradients[start:end].reshape(shape)
            start = end

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy host arrays in."""
        for name, array in arrays.items():
            self.value[name][...] = self.xp.asarray(array, self.values.dtype)
