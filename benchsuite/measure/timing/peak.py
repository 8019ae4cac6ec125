"""The machine's limit: the best matrix-product rate measured for a trial's own shapes.

A product that is repeated, as a recurrent layer's is at every step, is measured with the rows of many steps
at once: a step's own few rows are slower for reasons that are no limit of the machine. Kernels that pack the
weights once for all steps, or do all steps of the input's part at once, would else exceed it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchsuite.contracts import Backend
from benchsuite.measure.flops import Product
from benchsuite.schema import Execution

BUDGET_SECONDS = 0.15
"""Most time for the products of a trial."""
REPEATS = 5
NEAR = 2**18
"""Numbers of an operand that lie near a CPU core; a repeated product has rows added until one has as many."""
NEAR_GPU = 2**24
"""The same for other devices, which are fast at large products alone."""

_known: dict[tuple[int, int, int, str, str, int], float] = {}


def peak_rate(
    products: Sequence[Product],
    backends: Sequence[Backend],
    execution: Execution,
    seconds: float = BUDGET_SECONDS,
) -> float:
    """FLOP/s a program would reach if it did nothing but `products`, each at the best rate this machine
    showed for that shape, repetitions at once: total operations over total time.

    The rate of a shape is the best that any of `backends` shows through its product(): on small shapes a
    framework's call costs more than the product, and that is no limit of the machine. Measured once a
    process and shape, for about `seconds` in all.
    """
    flops = sum(product.flops for product in products)
    near = NEAR if execution.device == "cpu" else NEAR_GPU
    least = sum(
        product.flops / _rate(at_once(product, near), backends, execution, seconds / len(products))
        for product in products
    )
    return flops / least


def at_once(product: Product, near: int) -> Product:
    """The product with the rows of several of its repetitions, as many as leave its operands `near`."""
    rows = min(round(product.m * product.count), near // max(product.k, product.n))
    return Product(max(product.m, rows), product.k, product.n) if product.count > 1 else product


def _rate(product: Product, backends: Sequence[Backend], execution: Execution, budget: float) -> float:
    key = (
        product.m,
        product.k,
        product.n,
        execution.precision,
        execution.device,
        execution.threads,
    )
    if key not in _known:
        best = min(_fastest(product, each, execution, budget / len(backends)) for each in backends)
        _known[key] = 2.0 * product.m * product.k * product.n / best
    return _known[key]


def _fastest(product: Product, backend: Backend, execution: Execution, budget: float) -> float:
    """Seconds of the fastest single product."""
    run = backend.product(product.m, product.k, product.n, execution)
    run()
    best, done, end = float("inf"), 0, time.perf_counter() + budget
    while done < REPEATS or time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
        done += 1
    return best
