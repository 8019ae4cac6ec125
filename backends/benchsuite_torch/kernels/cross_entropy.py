"""Dense output layer and cross-entropy as one operation: by far the largest products of a model with a
vocabulary.

Scores of n tokens over V classes fill n * V numbers, and a framework's layers pass over them, and over copies
of them, six times. Here they exist one block of tokens at a time, and a block's scores turn into their own
gradient in place while they are in the processor's cache.
"""

from __future__ import annotations

import torch

from benchsuite_torch.kernels.matmul import chosen_matmul

BLOCK_BYTES = 12 << 20
"""Scores that are held at once on a CPU; a GPU, whose launches cost more than its memory, takes all of them."""


class ProjectedCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    """Mean over n tokens of -sum_k q_k ln softmax(x W + b)[k]: x (n, F), W (F, V), b (V,), targets (n,) int64.
    q is 1 - smoothing at the target, and smoothing / V is added to every class.

    The gradient with respect to the scores, (softmax - q) / n, is computed together with the loss, and its
    products with x and W as well; the backward pass only returns them.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        targets: torch.Tensor,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        n, classes = len(x), w.shape[1]
        size = n if x.is_cuda else min(n, max(64, BLOCK_BYTES // (classes * x.element_size())))
        matmul = chosen_matmul(size, len(w), classes, x)
        w_forward, w_backward = matmul.prepare(w.t()), matmul.prepare(w)
        needed = any(ctx.needs_input_grad)
        d_x, d_w, d_b = (torch.empty_like(x), torch.zeros_like(w), torch.zeros_like(b)) if needed else [x] * 3
        loss = x.new_zeros(())
        for begin in range(0, n, size):
            part, labels = x[begin : begin + size], targets[begin : begin + size]
            scores = matmul.linear(part, w_forward, b)
            scores.sub_(scores.amax(1, keepdim=True))
            target_scores = scores.gather(1, labels[:, None])
            wanted = target_scores
            if smoothing:
                wanted = target_scores * (1 - smoothing) + scores.mean(1, keepdim=True) * smoothing
            total = scores.exp_().sum(1, keepdim=True)
            loss += (total.log() - wanted).sum()
            if not needed:
                continue
            # (softmax - q) / n
            scores.div_(total * n)
            rows = torch.arange(len(part), device=x.device)
            at_targets = (target_scores.exp_() / total).sub_(1 - smoothing).div_(n)
            scores.index_put_((rows, labels), at_targets[:, 0])
            if smoothing:
                scores.sub_(smoothing / (classes * n))
            d_x[begin : begin + size] = matmul.linear(scores, w_backward)
            d_b += scores.sum(0)
            d_w = matmul.add(part.t(), matmul.prepare(scores.t()), d_w)
        ctx.gradients = (d_x, d_w, d_b) if needed else None
        return loss / n

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None, None]:
        # drop the node's own references: autograd copies a gradient that something else still holds
        gradients, ctx.gradients = ctx.gradients, None
        d_x, d_w, d_b = (one.mul_(d) for one in gradients)
        return d_x, d_w, d_b, None, None
