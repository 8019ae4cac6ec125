"""The rate of this machine's matrix products, where no record of it tells one."""

from __future__ import annotations

import time

import numpy as np
import threadpoolctl

SIDE = 512
"""Rows and columns of the factors: 1 MiB each in float32, as large as the products that records measure."""
PRODUCT_SECONDS = 0.05


def product_rate() -> float:
    """FLOP/s of NumPy's float32 product on one thread: the fastest of those that fit in 50 ms."""
    generator = np.random.default_rng(0)
    a, b = (generator.standard_normal((SIDE, SIDE), np.float32) for _ in range(2))
    best, end = float("inf"), time.perf_counter() + PRODUCT_SECONDS
    with threadpoolctl.threadpool_limits(1):
        a @ b
        while best == float("inf") or time.perf_counter() < end:
            begin = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - begin)
    return 2.0 * SIDE**3 / best
