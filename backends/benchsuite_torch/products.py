"""One matrix product, the fastest way that torch has for its shape: what the machine's limit is learned by."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

REPEATS = 3


def multiplication(m: int, k: int, n: int, dtype: torch.dtype, device: torch.device) -> Callable[[], object]:
    """A function that starts one (m, k) @ (k, n).

    On a CPU torch.mm is its BLAS, which may use half of the processor's vector units (MKL on AMD's do), while
    oneDNN, which runs the fused layers, uses all of them, with weights packed beforehand. The faster is taken.
    """
    a, b = (torch.randn(shape, dtype=dtype, device=device) for shape in ((m, k), (k, n)))
    out = torch.empty((m, n), dtype=dtype, device=device)

    def plain() -> object:
        return torch.mm(a, b, out=out)

    if device.type != "cpu" or dtype != torch.float32 or not _offered():
        return plain
    onednn = torch.ops.mkldnn
    packed = onednn._reorder_linear_weight(b.t().contiguous(), m)

    def by_onednn() -> object:
        return onednn._linear_pointwise(a, packed, None, "none", [], "")

    return min((plain, by_onednn), key=_seconds)


def _offered() -> bool:
    """Whether this build has oneDNN's product with packed weights: the one that torch.compile uses."""
    names = ("_reorder_linear_weight", "_linear_pointwise")
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in names)


def _seconds(run: Callable[[], object]) -> float:
    """Of the fastest of a few calls, the first one left out."""
    run()
    found = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return min(found)
