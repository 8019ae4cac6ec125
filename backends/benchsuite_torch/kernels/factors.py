"""The matrices of a plugin's cell, by whose products autograd records less than torch's own `@` would.

A cell says x @ W and nothing more. For each of T steps autograd would then compute a product for dL/dW and add
it to the sum of the others. Here the gradient of all steps is one product, and the products are those of
kernels.matmul. A small step is faster by torch's own operator: an autograd function in Python takes longer than
it saves.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchsuite_torch.kernels.matmul import BLAS, chosen_matmul, linear, weight_grad

DEFERRED_FROM = 1 << 19
"""Multiplications of a step's product from which deferring the weight's gradient is faster."""


class Factor(torch.Tensor):  # type: ignore[misc]
    """A matrix W (K, N): x @ W is `multiply`(x); in everything else it is a tensor like others."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    multiply: Callable[[torch.Tensor], torch.Tensor]

    def __rmatmul__(self, x: torch.Tensor) -> torch.Tensor:
        return self.multiply(x)


def at_once(w: torch.Tensor) -> torch.Tensor:
    """W for a product of all steps at once."""
    if w.dim() != 2:
        return w

    def multiply(x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 2 or chosen_matmul(len(x), w.shape[0], w.shape[1], x) is BLAS:
            return torch.matmul(x, w)
        product: torch.Tensor = Product.apply(x, w)
        return product

    factor = w.as_subclass(Factor)
    factor.multiply = multiply
    return factor


def by_step(w: torch.Tensor, rows: int) -> torch.Tensor:
    """W for products of `rows` rows, step after step."""
    if w.dim() != 2 or rows * w.numel() <= DEFERRED_FROM:
        return w
    factor = w.detach().as_subclass(Factor)
    factor.multiply = StepProducts(w, rows)
    return factor


class Product(torch.autograd.Function):  # type: ignore[misc]
    """x W by oneDNN, whose operator autograd cannot differentiate."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, w)
        return linear(x.contiguous(), w.t())

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (x, w), d = ctx.saved_tensors, d.contiguous()
        d_x = linear(d, w) if ctx.needs_input_grad[0] else None
        return d_x, weight_grad(d, x.contiguous()).t() if ctx.needs_input_grad[1] else None


class StepProducts:
    """x W for every step's x (B, K). What dL/dW is made of is kept until the last of the steps is
    differentiated."""

    def __init__(self, w: torch.Tensor, rows: int) -> None:
        inputs, outputs = w.shape
        self._matmul = chosen_matmul(rows, inputs, outputs, w)
        self._back = chosen_matmul(rows, outputs, inputs, w)
        self._prepared = self._matmul.prepare(w.detach().t())
        self._prepared_back = self._back.prepare(w.detach())
        self._pairs: Pairs = []
        self._token = WeightGradient.apply(w, self._pairs) if torch.is_grad_enabled() else None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self._token is None:
            return self.forward(x)
        product: torch.Tensor = StepProduct.apply(x, self._token, self)
        return product

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._matmul.linear(x.contiguous(), self._prepared)

    def backward(self, x: torch.Tensor, d: torch.Tensor, needed: bool) -> torch.Tensor | None:
        """dL/dx, if needed, from d = dL/d(x W)."""
        d = d.contiguous()
        self._pairs.append((x.detach(), d))
        return self._back.linear(d, self._prepared_back) if needed else None


Pairs = list[tuple[torch.Tensor, torch.Tensor]]
"""Of each step x (B, K) and dL/d(x W) (B, N)."""


class StepProduct(torch.autograd.Function):  # type: ignore[misc]
    """One step of StepProducts. `token` makes autograd differentiate it before the weight."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: torch.Tensor,
        token: torch.Tensor,  # noqa: ARG004
        products: StepProducts,
    ) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.products = products
        return products.forward(x)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, None, None]:
        return ctx.products.backward(*ctx.saved_tensors, d, ctx.needs_input_grad[0]), None, None


class WeightGradient(torch.autograd.Function):  # type: ignore[misc]
    """A number without a value, whose derivative by W is that of all products in `pairs`."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, w: torch.Tensor, pairs: Pairs) -> torch.Tensor:
        ctx.pairs, ctx.shape = pairs, w.shape
        ctx.set_materialize_grads(False)
        return w.new_zeros(())

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, _: torch.Tensor | None
    ) -> tuple[torch.Tensor | None, None]:
        if not ctx.pairs:  # no step reached the loss
            return None, None
        of_inputs, of_products = zip(*ctx.pairs, strict=True)
        ctx.pairs.clear()  # a second backward pass over the same graph starts anew
        return weight_grad(torch.cat(of_products), torch.cat(of_inputs)).t(), None
