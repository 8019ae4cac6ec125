"""Clipping, weight decay, and torch's own optimisers, whose formulas are the canonical ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchsuite.errors import UnsupportedError
from benchsuite.schema import Recipe, is_scheduled, learning_rate


def make_optimiser(recipe: Recipe, parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
    """sgd, momentum (v = mu v + g), RMSProp (epsilon outside the root), Adam (bias correction in double) or,
    where weights decay, AdamW.

    The fused and multi-tensor implementations compute the same formulas with fewer kernel launches.
    """
    rate = recipe.learning_rate
    if recipe.optimiser == "adam":
        betas = (recipe.beta1, recipe.beta2)
        if recipe.weight_decay:
            return torch.optim.AdamW(
                parameters,
                lr=rate,
                betas=betas,
                eps=recipe.epsilon,
                weight_decay=recipe.weight_decay,
                fused=True,
            )
        return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=recipe.epsilon, fused=True)
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=recipe.rho, eps=recipe.epsilon, foreach=True)
    if recipe.optimiser not in ("sgd", "momentum"):
        raise UnsupportedError(
            f"torch has no optimiser {recipe.optimiser!r}; it has sgd, momentum, rmsprop, adam"
        )
    momentum = recipe.momentum if recipe.optimiser == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)


class Optimiser:
    """torch's optimiser of a recipe, with the recipe's learning rate at each step and its weight decay.

    `weight_decay` of torch's own SGD and RMSprop is another formula: they add it to the gradient, and so to
    the running averages.
    """

    def __init__(self, recipe: Recipe, parameters: Sequence[torch.Tensor]) -> None:
        self._recipe, self._parameters = recipe, list(parameters)
        self._optimiser = make_optimiser(recipe, parameters)
        self._scheduled = is_scheduled(recipe)
        self._decays = recipe.weight_decay > 0 and recipe.optimiser != "adam"
        self._steps = 0

    @property
    def description(self) -> str:
        """Which of torch's implementations runs: `torch.optim.Adam (fused)`."""
        how = [flag for flag in ("fused", "foreach") if self._optimiser.defaults.get(flag)]
        return f"torch.optim.{type(self._optimiser).__name__} ({how[0]})"

    def zero_grad(self) -> None:
        self._optimiser.zero_grad(set_to_none=True)

    def step(self) -> None:
        """One update of every parameter. Its learning rate is a number of the host: nothing waits for the
        device."""
        rate = self._recipe.learning_rate
        if self._scheduled:
            self._steps += 1
            rate = learning_rate(self._recipe, self._steps)
            for group in self._optimiser.param_groups:
                group["lr"] = rate
        if self._decays:
            with torch.no_grad():
                torch._foreach_mul_(self._parameters, 1 - rate * self._recipe.weight_decay)
        self._optimiser.step()


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
