"""One matrix product, the fastest way there is in torch: what the machine's limit is learned by.

Its ways are those that fused layers have, too: results in place, weights packed beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from benchsuite_torch.products import OneDnn, offered

REPEATS = 3


def multiplication(m: int, k: int, n: int, dtype: torch.dtype, device: torch.device) -> Callable[[], object]:
    """A function that starts one (m, k) @ (k, n).

    On a CPU that is torch.mm or oneDNN's product, whichever is the faster one.
    """
    a, b = (torch.randn(shape, dtype=dtype, device=device) for shape in ((m, k), (k, n)))
    out = torch.empty((m, n), dtype=dtype, device=device)

    def plain() -> object:
        return torch.mm(a, b, out=out)

    if device.type != "cpu" or dtype != torch.float32 or not offered():
        return plain
    onednn, packed = OneDnn(), torch.ops.mkldnn._reorder_linear_weight(b.t().contiguous(), m)

    def by_onednn() -> object:
        return onednn.linear(a, packed)

    return min((plain, by_onednn), key=_seconds)


def _seconds(run: Callable[[], object]) -> float:
    """Of the fastest of a few calls, the first one left out."""
    run()
    found = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return min(found)
