"""The bound: nothing but a training step's matrix products, each as fast as this machine does that shape."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.contestants import Contestant
from benchmarks.shapes import Shape
from benchsuite.measure.flops import Product
from benchsuite.schema import GATES
from benchsuite_numpy.kernels.products import pieces_of

BLOCK_SECONDS = 0.004
BLOCKS = 12
"""The fastest of so many blocks counts."""


class MatmulBound(Contestant):
    """Seconds that the products alone would take, at the best rate that NumPy's BLAS shows for each of them, in
    either memory order, whole or cut. The weights' gradient is one product a step or one of all steps."""

    notes = "products alone"

    def __init__(self, shape: Shape) -> None:
        rows, columns, hidden = shape.batch, GATES[shape.cell] * shape.hidden, shape.hidden
        entering, steps = shape.inputs + hidden, int(shape.data().lengths.sum())
        forward = Product(rows, entering, columns, steps / rows)
        backward = Product(rows, columns, hidden, steps / rows)
        weights = [Product(entering, inner, columns, steps / inner) for inner in (rows, steps)]
        self._parts = {"step": [[forward], [backward], weights], "predict": [[forward]]}

    def step(self) -> None:
        """Nothing: see timed()."""

    def predict(self) -> None:
        """Nothing: see timed()."""

    def loss(self) -> float:
        return float("nan")

    def timed(self, what: str, count: int) -> tuple[float, float]:  # noqa: ARG002 - the blocks are their own
        seconds = sum(min(one.count * _seconds(one) for one in ways) for ways in self._parts[what])
        return seconds, seconds


def _seconds(product: Product) -> float:
    """CPU seconds of one of them, the best way."""
    m, k, n = product.m, product.k, product.n
    ways = [_operands((m, k), (k, n), (m, n)), _operands((n, k), (k, m), (n, m))]
    pieces = pieces_of(n, k, m)
    if pieces > 1:
        a, b, out = ways[1]
        ways.append((a.reshape(pieces, -1, k), b, out.reshape(pieces, -1, m)))
    return min(_fastest(*way) for way in ways)


def _operands(*shapes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    a, b, out = (rng.standard_normal(shape, np.float32) for shape in shapes)
    return a, b, out


def _fastest(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> float:
    """Seconds of a product in the fastest block."""
    np.matmul(a, b, out=out)
    begin = time.perf_counter()
    np.matmul(a, b, out=out)
    calls = max(1, int(BLOCK_SECONDS / max(time.perf_counter() - begin, 1e-7)))
    best = float("inf")
    for _ in range(BLOCKS):
        start = time.process_time()
        for _ in range(calls):
            np.matmul(a, b, out=out)
        best = min(best, (time.process_time() - start) / calls)
    return best
