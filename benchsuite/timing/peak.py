"""The machine's limit: the best matrix-product rate measured for a trial's own shapes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchsuite.contracts import Backend
from benchsuite.flops import Product
from benchsuite.spec import Execution

BUDGET_SECONDS = 0.15
REPEATS = 5

_known: dict[tuple[int, int, int, str, str, int], float] = {}


def peak_rate(products: Sequence[Product], backend: Backend, execution: Execution) -> float:
    """FLOP/s a program would reach if it did nothing but `products`, each at the best rate this machine
    showed for that shape: total operations over total time.

    Rates are measured once a process and shape, through the backend's own product().
    """
    flops = sum(product.flops for product in products)
    seconds = sum(
        product.flops / _rate(product, backend, execution, BUDGET_SECONDS / len(products))
        for product in products
    )
    return flops / seconds


def _rate(product: Product, backend: Backend, execution: Execution, budget: float) -> float:
    key = (
        product.m,
        product.k,
        product.n,
        execution.precision,
        execution.device,
        execution.threads,
    )
    if key not in _known:
        run = backend.product(product.m, product.k, product.n, execution)
        run()
        best, end = float("inf"), time.perf_counter() + budget
        done = 0
        while done < REPEATS or time.perf_counter() < end:
            begin = time.perf_counter()
            run()
            best = min(best, time.perf_counter() - begin)
            done += 1
        _known[key] = 2.0 * product.m * product.k * product.n / best
    return _known[key]
