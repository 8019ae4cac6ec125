"""Memory that a program's kernels use again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchsuite_numpy.runtime import Array, Namespace


class Workspace:
    """Named blocks of memory that grow to the largest need and are then reused.

    `generation` counts the growths: views taken under an earlier one are of memory no longer used.
    """

    def __init__(self, xp: Namespace, dtype: str) -> None:
        self._xp = self.namespace = xp
        self._dtype = self.dtype = dtype
        self._blocks: dict[str, Array] = {}
        self._ones: Array = None
        self.generation = 0

    def views(self, name: str, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """Consecutive arrays of `shapes` from block `name`, uninitialised."""
        sizes = [math.prod(shape) for shape in shapes]
        needed = sum(sizes)
        block = self._blocks.get(name)
        if block is None or block.size < needed:
            block = self._blocks[name] = self._xp.empty(needed, self._dtype)
            self.generation += 1
        found, start = [], 0
        for size, shape in zip(sizes, shapes, strict=True):
            found.append(block[start : start + size].reshape(shape))
            start += size
        return found

    def view(self, name: str, shape: tuple[int, ...]) -> Array:
        return self.views(name, [shape])[0]

    def overlaid(self, name: str, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """Arrays of `shapes` that all begin where block `name` begins: each overwrites the others."""
        sizes = [math.prod(shape) for shape in shapes]
        block = self.view(name, (max(sizes),))
        return [block[:size].reshape(shape) for size, shape in zip(sizes, shapes, strict=True)]

    def ones(self, size: int) -> Array:
        """A vector of ones: a product with it sums columns faster than a reduction over rows does."""
        if self._ones is None or self._ones.size < size:
            self._ones = self._xp.ones(size, self._dtype)
        return self._ones[:size]
