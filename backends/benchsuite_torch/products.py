"""Matrix products, the fastest way that torch has for their shape on this processor.

On a CPU torch's own products are MKL's, which on AMD's processors with AVX-512 uses half of the vector units.
oneDNN, with which torch runs its fused layers and what torch.compile makes, uses all of them: 1.3 to 2.4 times
as fast there from a million multiplications on. Below, its calls cost more than they save.
"""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from typing import Protocol

import torch

WORTH_IT = 1 << 20
"""Multiplications of a product above which oneDNN's is the faster one where MKL is held back."""
NARROWEST = 16
"""Narrower products read memory rather than multiply, which MKL does better."""


class Products(Protocol):
    """A library's products of x (m, k), d (m, n) with w (n, k).

    in_place  whether add() stores its result in `plus`
    """

    in_place: bool

    def prepare(self, w: torch.Tensor) -> torch.Tensor:
        """w as linear() and add() take it: once for all steps."""

    def linear(self, x: torch.Tensor, prepared: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        """x w^T + b, (m, n)."""

    def add(self, x: torch.Tensor, prepared: torch.Tensor, plus: torch.Tensor) -> torch.Tensor:
        """plus (m, n) + x w^T, which may be written over `plus`."""

    def across(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """d^T x (n, k): of d = dL/d(x w^T), dL/dw. Either library takes a good part less time to make its
        transpose, half of it where x is narrow."""


class Blas:
    """torch's own, whatever the device."""

    in_place = True

    def prepare(self, w: torch.Tensor) -> torch.Tensor:
        return w.t()

    def linear(self, x: torch.Tensor, prepared: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        return torch.mm(x, prepared) if b is None else torch.addmm(b, x, prepared)

    def add(self, x: torch.Tensor, prepared: torch.Tensor, plus: torch.Tensor) -> torch.Tensor:
        return plus.addmm_(x, prepared)

    def across(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (x.t() @ d).t()


class OneDnn:
    """The operator that torch.compile calls. w may lie in either memory order, but for a part of a larger
    one it has no kernel: some thousand times as slow. Results are new tensors."""

    in_place = False

    def __init__(self) -> None:
        operator = torch.ops.mkldnn._linear_pointwise
        self._linear, self._add = operator.default, operator.binary

    def prepare(self, w: torch.Tensor) -> torch.Tensor:
        return w if w.is_contiguous() or w.t().is_contiguous() else w.contiguous()

    def linear(self, x: torch.Tensor, prepared: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        found: torch.Tensor = self._linear(x, prepared, b, "none", [], "")
        return found

    def add(self, x: torch.Tensor, prepared: torch.Tensor, plus: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._add(x, plus, prepared, None, "add")
        return found

    def across(self, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.t(), self.prepare(d.t())).t()


BLAS = Blas()


def products(m: int, k: int, n: int, like: torch.Tensor) -> Products:
    """What multiplies (m, k) by (k, n) on the device and in the dtype of `like`. A rule, not a trial: the same
    machine takes the same way every time."""
    if min(m, k, n) < NARROWEST or m * k * n <= WORTH_IT or like.is_cuda or like.dtype != torch.float32:
        return BLAS
    return _onednn() if mkl_is_throttled() else BLAS


def linear(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
    """x (m, k) with w (n, k) and b (n,): x w^T + b."""
    m, k = x.shape
    chosen = products(m, k, len(w), x)
    return chosen.linear(x, chosen.prepare(w), b)


def add(plus: torch.Tensor, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """plus (m, n) + x w^T, which may be written over `plus`."""
    m, k = x.shape
    chosen = products(m, k, len(w), x)
    return chosen.add(x, chosen.prepare(w), plus)


def across(d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """d (m, n), x (m, k): d^T x (n, k), the gradient by w of x w^T."""
    m, k = x.shape
    return products(k, m, d.shape[1], x).across(d, x)


def affine(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """x w^T + b, (m, n), of x (m, k), w (n, k) and b (n,), for autograd to record."""
    m, k = x.shape
    if products(m, k, len(w), x) is BLAS:
        return torch.addmm(b, x, w.t())
    found: torch.Tensor = Affine.apply(x, w, b)
    return found


class Affine(torch.autograd.Function):  # type: ignore[misc]
    """affine() by the products of this file, which autograd would not know how to differentiate."""

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
        return linear(d, w.t()) if ctx.needs_input_grad[0] else None, across(d, x), d.sum(0)


@cache
def mkl_is_throttled() -> bool:
    """Whether MKL leaves vector units of this processor unused, and oneDNN stands ready."""
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and _made_by_amd() and offered()


def _made_by_amd() -> bool:
    known = Path("/proc/cpuinfo")
    said = known.read_text(errors="replace") if known.exists() else platform.processor()
    return "AuthenticAMD" in said


@cache
def _onednn() -> OneDnn:
    return OneDnn()


def offered() -> bool:
    """Whether this build has oneDNN's product: the one that torch.compile uses."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
