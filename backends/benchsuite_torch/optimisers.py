"""Clipping, and torch's own optimisers, whose formulas are the canonical ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchsuite.errors import UnsupportedError
from benchsuite.schema import Recipe


def make_optimiser(recipe: Recipe, parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
    """sgd, momentum (v = mu v + g), RMSProp (epsilon outside the root) or Adam (bias correction in double).

    The fused and multi-tensor implementations compute the same formulas with fewer kernel launches.
    """
    rate = recipe.learning_rate
    if recipe.optimiser == "adam":
        betas = (recipe.beta1, recipe.beta2)
        return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=recipe.epsilon, fused=True)
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=recipe.rho, eps=recipe.epsilon, foreach=True)
    if recipe.optimiser not in ("sgd", "momentum"):
        raise UnsupportedError(
            f"torch has no optimiser {recipe.optimiser!r}; it has sgd, momentum, rmsprop, adam"
        )
    momentum = recipe.momentum if recipe.optimiser == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)


class Clipping:
    """Clips gradients in place, and keeps on the device what they measured before.

    By norm: g c / max(|g|, c) (Pascanu et al. 2013). torch.nn.utils.clip_grad_norm_ divides by |g| + 1e-6
    instead, which is another number. By value: every entry into [-c, c].
    """

    def __init__(self, recipe: Recipe) -> None:
        if recipe.clip not in ("none", "norm", "value"):
            raise UnsupportedError(f"torch has no clipping {recipe.clip!r}; it has none, norm, value")
        self._clip, self._at = recipe.clip, recipe.clip_at

    def __call__(self, gradients: list[torch.Tensor]) -> torch.Tensor | None:
        """The global L2 norm or the largest absolute entry, whichever is clipped by; None for no clipping."""
        if self._clip == "none":
            return None
        if self._clip == "norm":
            norm: torch.Tensor = torch.nn.utils.get_total_norm(gradients, foreach=True)
            torch._foreach_mul_(gradients, self._at / norm.clamp(min=self._at))
            return norm
        peak = torch.stack(torch._foreach_norm(gradients, float("inf"))).max()
        torch._foreach_clamp_min_(gradients, -self._at)
        torch._foreach_clamp_max_(gradients, self._at)
        return peak
