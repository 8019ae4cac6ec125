"""Dense output layer and cross-entropy as one operation: by far the largest products of a model that writes.

Scores of n tokens over V classes fill n * V numbers, and a framework's layers pass over them, and over copies
of them, six times. Here they live a block of tokens at a time, which turns from scores into their own
gradient in place, while it is near the processor.
"""

from __future__ import annotations

import torch

from benchsuite_torch.products import products

BLOCK_BYTES = 12 << 20
"""Scores that are held at once on a CPU; a GPU, whose launches cost more than its memory, takes all of them."""


class ProjectedCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    """Mean over n tokens of -ln softmax(x W + b)[target]: x (n, F), W (F, V), b (V,), targets (n,) int64.

    The gradient by the scores, (softmax - one-hot) / n, is worked out together with the loss, and its products
    with x and W as well; the backward pass only hands them out.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        n, classes = len(x), w.shape[1]
        size = n if x.is_cuda else min(n, max(64, BLOCK_BYTES // (classes * x.element_size())))
        multiply = products(size, len(w), classes, x)
        forth, back = multiply.prepare(w.t()), multiply.prepare(w)
        wanted = any(ctx.needs_input_grad)
        d_x, d_w, d_b = (torch.empty_like(x), torch.zeros_like(w), torch.zeros_like(b)) if wanted else [x] * 3
        loss = x.new_zeros(())
        for begin in range(0, n, size):
            part, labels = x[begin : begin + size], targets[begin : begin + size]
            scores = multiply.linear(part, forth, b)
            scores.sub_(scores.amax(1, keepdim=True))
            picked = scores.gather(1, labels[:, None])
            total = scores.exp_().sum(1, keepdim=True)
            loss += (total.log() - picked).sum()
            if not wanted:
                continue
            # (softmax - one-hot) / n
            scores.div_(total * n)
            rows = torch.arange(len(part), device=x.device)
            scores.index_put_((rows, labels), (picked.exp_() / total).sub_(1).div_(n)[:, 0])
            d_x[begin : begin + size] = multiply.linear(scores, back)
            d_b += scores.sum(0)
            d_w = multiply.add(part.t(), multiply.prepare(scores.t()), d_w)
        ctx.found = (d_x, d_w, d_b) if wanted else None
        return loss / n

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        # let go of them: a parameter takes over a gradient that nobody else holds, and copies one that is held
        found, ctx.found = ctx.found, None
        d_x, d_w, d_b = (one.mul_(d) for one in found)
        return d_x, d_w, d_b, None
