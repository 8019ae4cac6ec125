"""Matrix products by the library that the choice `products` names.

On a CPU torch's own products are MKL's, which on some of AMD's processors with AVX-512 use half of the vector
units. oneDNN, with which torch runs its fused layers and what torch.compile makes, uses all of them: on one
such processor 1.3 to 2.4 times as fast from a million multiplications on. On others it is slower. So which one
is taken is measured on each machine. Below a million multiplications oneDNN's calls cost more than they save.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Protocol

import torch

ONEDNN_FROM = 1 << 20
"""Multiplications of a product up to which torch's own is taken: a call would cost more than it saves."""
NARROWEST = 16
"""Narrower products read memory rather than multiply, which MKL does better."""


class Matmul(Protocol):
    """A library's products of x (m, k), d (m, n) with w (n, k).

    in_place  whether add() stores its result in `plus`
    """

    in_place: bool

    def prepare(self, w: torch.Tensor) -> torch.Tensor:
        """w as linear() and add() take it: once for all steps."""

    def linear(self, x: torch.Tensor, prepared: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        """x w^T + b, (m, n)."""

    def add(self, x: torch.Tensor, prepared: torch.Tensor, plus: torch.Tensor) -> torch.Tensor:
        """plus (m, n) + x w^T; `plus` may be overwritten."""

    def weight_grad(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """d^T x (n, k): for d = dL/d(x w^T), dL/dw. Computed as the transpose of x^T d, which takes either
        library less time, half of it where x is narrow."""


class Blas:
    """torch's own, whatever the device."""

    in_place = True

    def prepare(self, w: torch.Tensor) -> torch.Tensor:
        return w.t()

    def linear(self, x: torch.Tensor, prepared: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        return torch.mm(x, prepared) if b is None else torch.addmm(b, x, prepared)

    def add(self, x: torch.Tensor, prepared: torch.Tensor, plus: torch.Tensor) -> torch.Tensor:
        return plus.addmm_(x, prepared)

    def weight_grad(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (x.t() @ d).t()


class OneDnn:
    """The operator that torch.compile calls. w may be contiguous or the transpose of a contiguous tensor; for a
    part of a larger tensor it has no kernel and is some thousand times slower. Results are new tensors."""

    in_place = False

    def __init__(self) -> None:
        operator = torch.ops.mkldnn._linear_pointwise
        self._linear, self._add = operator.default, operator.binary

    def prepare(self, w: torch.Tensor) -> torch.Tensor:
        return w if w.is_contiguous() or w.t().is_contiguous() else w.contiguous()

    def linear(self, x: torch.Tensor, prepared: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        product: torch.Tensor = self._linear(x, prepared, b, "none", [], "")
        return product

    def add(self, x: torch.Tensor, prepared: torch.Tensor, plus: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self._add(x, plus, prepared, None, "add")
        return total

    def weight_grad(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.t(), self.prepare(d.t())).t()


BLAS = Blas()
PRODUCTS = ("blas", "onednn")
"""What the choice `products` may be: torch's own for all, or oneDNN's for the large ones."""

_products = PRODUCTS[0]


def multiply_with(products: str) -> None:
    """Take one of PRODUCTS from now on, in the whole process."""
    global _products
    _products = products


def chosen_matmul(m: int, k: int, n: int, like: torch.Tensor) -> Matmul:
    """What multiplies (m, k) by (k, n) on the device and in the dtype of `like`."""
    if _products != "onednn" or like.is_cuda or like.dtype != torch.float32:
        return BLAS
    return BLAS if min(m, k, n) < NARROWEST or m * k * n <= ONEDNN_FROM else _onednn()


def linear(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
    """x (m, k) with w (n, k) and b (n,): x w^T + b."""
    m, k = x.shape
    chosen = chosen_matmul(m, k, len(w), x)
    return chosen.linear(x, chosen.prepare(w), b)


def add(plus: torch.Tensor, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """plus (m, n) + x w^T; `plus` may be overwritten."""
    m, k = x.shape
    chosen = chosen_matmul(m, k, len(w), x)
    return chosen.add(x, chosen.prepare(w), plus)


def weight_grad(d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """d (m, n), x (m, k): d^T x (n, k), the gradient of x w^T with respect to w."""
    m, k = x.shape
    return chosen_matmul(k, m, d.shape[1], x).weight_grad(d, x)


def affine(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """x w^T + b, (m, n), for x (m, k), w (n, k) and b (n,); autograd records it."""
    m, k = x.shape
    if chosen_matmul(m, k, len(w), x) is BLAS:
        return torch.addmm(b, x, w.t())
    y: torch.Tensor = Affine.apply(x, w, b)
    return y


class Affine(torch.autograd.Function):  # type: ignore[misc]
    """affine() by oneDNN, whose operator autograd cannot differentiate."""

    @staticmethod
    def forward(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return linear(x, w, b)

    @staticmethod
    def setup_context(
        ctx: torch.autograd.function.FunctionCtx, inputs: tuple[torch.Tensor, ...], _: object
    ) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        x, w = ctx.saved_tensors
        return linear(d, w.t()) if ctx.needs_input_grad[0] else None, weight_grad(d, x), d.sum(0)


@cache
def _onednn() -> OneDnn:
    return OneDnn()


def has_onednn() -> bool:
    """Whether this build of torch has oneDNN's product: the operator that torch.compile uses."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


PEAK_REPEATS = 3


def peak_product(m: int, k: int, n: int, dtype: torch.dtype, device: torch.device) -> Callable[[], object]:
    """A function that starts one (m, k) @ (k, n) of random numbers: what the machine's limit is learned by.

    On a CPU torch.mm or oneDNN's product, whichever is faster here, in the ways that fused layers have too:
    results in place, weights packed beforehand.
    """
    a, b = (torch.randn(shape, dtype=dtype, device=device) for shape in ((m, k), (k, n)))
    out = torch.empty((m, n), dtype=dtype, device=device)

    def plain() -> object:
        return torch.mm(a, b, out=out)

    if device.type != "cpu" or dtype != torch.float32 or not has_onednn():
        return plain
    onednn, packed = OneDnn(), torch.ops.mkldnn._reorder_linear_weight(b.t().contiguous(), m)

    def by_onednn() -> object:
        return onednn.linear(a, packed)

    return min((plain, by_onednn), key=_seconds)


def _seconds(run: Callable[[], object]) -> float:
    """Of the fastest of a few calls, the first one left out."""
    run()
    times = []
    for _ in range(PEAK_REPEATS):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)
