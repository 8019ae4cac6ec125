"""A recurrent step's product: the same weights at every step, a narrow block of states beside them.

OpenBLAS copies both factors into an order of its own before it multiplies, the weights anew at every step.
For products of up to a million multiplications its kernels for wide vectors work in place; a product
cut into pieces that small took 0.65 to 0.8 of the time (512 x 193 by 193 x 32: 25 us for 32).
"""

from __future__ import annotations

import numpy as np

from benchsuite_numpy.runtime import Array, Namespace, blas_info

IN_PLACE = ("SkylakeX", "Cooperlake", "SapphireRapids")
"""OpenBLAS's names for the machines that it has such kernels for."""
MOST_MULTIPLICATIONS = 1_000_000
MOST_PIECES = 8


class Product:
    """matrix @ x: matrix (m, k), whose entries may change between calls; x (k, n)."""

    def __init__(self, xp: Namespace, matrix: Array) -> None:
        self._xp, self._matrix = xp, matrix
        self._cuttable = xp is np and matrix.dtype == np.float32 and small_products_in_place()
        self._pieces: dict[int, Array] = {}

    def __call__(self, x: Array, out: Array) -> None:
        """out (m, n) = matrix @ x."""
        width = x.shape[1]
        pieces = self._pieces.get(width)
        if pieces is None:
            pieces = self._pieces[width] = self._cut(width)
        if pieces.ndim == 3:
            out = out.reshape(len(pieces), -1, width)
        self._xp.matmul(pieces, x, out=out)

    def _cut(self, width: int) -> Array:
        """The matrix as (pieces, m / pieces, k), or as it is."""
        rows, inner = self._matrix.shape
        count = pieces_of(rows, inner, width) if self._cuttable else 1
        return self._matrix if count == 1 else self._matrix.reshape(count, rows // count, inner)


def pieces_of(rows: int, inner: int, width: int) -> int:
    """Into how many pieces of equally many rows to cut a product (rows, inner) @ (inner, width); 1: none."""
    for count in range(1, MOST_PIECES + 1):
        if rows % count == 0 and rows // count * inner * width <= MOST_MULTIPLICATIONS:
            return count
    return 1


def small_products_in_place() -> bool:
    """Whether the BLAS here has kernels that do small products where they lie."""
    blas = blas_info()
    return blas["name"] == "openblas" and blas["architecture"] in IN_PLACE
