"""Sums over steps of products x^T g: the gradients of weights in a loop over rows."""

from __future__ import annotations

from benchsuite_numpy.runtime import Array, Namespace

GATHERED = 256
"""Rows gathered before a product: products of few rows spend their time on writing the result."""
WIDE = 96
"""A step of so many rows goes into a product of its own, without the copy."""


class RowSum:
    """target += the sum over steps of x^T g; target (K, Z), x (N, K), g (N, Z)."""

    def __init__(self, xp: Namespace, target: Array) -> None:
        self._xp, self._target, dtype = xp, target, target.dtype
        self._x = xp.empty((GATHERED, target.shape[0]), dtype)
        self._g = xp.empty((GATHERED, target.shape[1]), dtype)
        self._product = xp.empty(target.shape, dtype)
        self._filled = 0

    def clear(self) -> None:
        self._filled = 0

    def add(self, x: Array, g: Array) -> None:
        """One step."""
        rows = len(x)
        if rows >= WIDE:
            self._multiply(x, g)
            return
        if self._filled + rows > GATHERED:
            self.finish()
        end = self._filled + rows
        self._x[self._filled : end] = x
        self._g[self._filled : end] = g
        self._filled = end

    def finish(self) -> None:
        """What is gathered goes into the target."""
        if self._filled:
            self._multiply(self._x[: self._filled], self._g[: self._filled])
        self._filled = 0

    def _multiply(self, x: Array, g: Array) -> None:
        self._xp.matmul(x.T, g, out=self._product)
        self._xp.add(self._target, self._product, out=self._target)
