"""The machine's limit: the best matrix-product rate measured for a trial's own shapes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchsuite.contracts import Backend
from benchsuite.flops import Product
from benchsuite.spec import Execution

BUDGET_SECONDS = 0.15
"""Most time for the products of a trial."""
REPEATS = 5

_known: dict[tuple[int, int, int, str, str, int], float] = {}


def peak_rate(
    products: Sequence[Product],
    backends: Sequence[Backend],
    execution: Execution,
    seconds: float = BUDGET_SECONDS,
) -> float:
    """FLOP/s a program would reach if it did nothing but `products`, each at the best rate this machine
    showed for that shape: total operations over total time.

    The rate of a shape is the best that any of `backends` shows through its product(): on small shapes a
    framework's call costs more than the product, and that is no limit of the machine. Measured once a
    process and shape, for about `seconds` in all.
    """
    flops = sum(product.flops for product in products)
    least = sum(
        product.flops / _rate(product, backends, execution, seconds / len(products)) for product in products
    )
    return flops / least


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
