"""torch's optimisers under a recipe: AdamW is the decoupled decay of the reference, schedules are torch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchsuite.contracts import AVERAGES, clipped, updated
from benchsuite.schema import OPTIMISERS, Recipe, learning_rates
from benchsuite_numpy.reference.optimisers import Optimiser as Reference
from benchsuite_numpy.reference.optimisers import clip
from benchsuite_torch.optimisers import Optimiser


def gradients(count: int = 12) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(5, generator=generator, dtype=torch.float64) for _ in range(count)]


def followed(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Where the gradients lead from ones, by torch under the recipe and by the reference."""
    weight = torch.ones(5, dtype=torch.float64, requires_grad=True)
    values = {"w": np.ones(5)}
    optimiser, reference = Optimiser(recipe, [weight]), Reference(recipe, values)
    for gradient in gradients():
        weight.grad = gradient.clone()
        optimiser.step()
        reference.update(values, {"w": gradient.numpy()})
    return weight.detach().numpy(), values["w"]


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_decay_and_schedule_are_the_references(optimiser: str, schedule: str) -> None:
    fields: dict[str, Any] = {"warmup": 2, "schedule_steps": 9} if schedule != "constant" else {}
    recipe = Recipe.model_validate(
        {"optimiser": optimiser, "learning_rate": 0.05, "weight_decay": 0.7, "schedule": schedule, **fields}
    )
    ours, expected = followed(recipe)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    without, _ = followed(recipe.model_copy(update={"weight_decay": 0.0}))
    assert np.abs(ours - without).max() > 1e-2


def test_adam_with_decay_is_adamw() -> None:
    recipe = Recipe(learning_rate=0.05, weight_decay=0.7)
    theirs = torch.ones(5, dtype=torch.float64, requires_grad=True)
    peer = torch.optim.AdamW([theirs], lr=0.05, weight_decay=0.7, foreach=True)
    for gradient in gradients():
        theirs.grad = gradient.clone()
        peer.step()
    _, expected = followed(recipe)
    np.testing.assert_allclose(theirs.detach().numpy(), expected, rtol=1e-12)
    coupled = torch.ones(5, dtype=torch.float64, requires_grad=True)
    other = torch.optim.Adam([coupled], lr=0.05, weight_decay=0.7)
    for gradient in gradients():
        coupled.grad = gradient.clone()
        other.step()
    assert np.abs(coupled.detach().numpy() - expected).max() > 1e-2, (
        "the trap: Adam's decay is in the gradient"
    )


def test_cosine_is_torchs_scheduler() -> None:
    recipe = Recipe(learning_rate=0.05, schedule="cosine", schedule_steps=12)
    peer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.05)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(peer, T_0=12)
    for rate in learning_rates(recipe) * 2:
        assert peer.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-12)
        peer.step()
        scheduler.step()
    assert Optimiser(recipe, [torch.ones(1)]).description == "torch.optim.Adam (fused)"


@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_the_formulas_that_backends_are_offered_run_on_tensors(optimiser: str) -> None:
    recipe = Recipe.model_validate(
        {"optimiser": optimiser, "clip": "norm", "clip_at": 1.5, "weight_decay": 0.7}
    )
    weight, values = torch.ones(5, dtype=torch.float64), {"w": np.ones(5)}
    averages = {name: torch.zeros_like(weight) for name in AVERAGES[optimiser]}
    reference = Reference(recipe, values)
    for step, gradient in enumerate(gradients(), 1):
        kept, norm = clipped(recipe, gradient)
        assert isinstance(norm, torch.Tensor)  # nothing is read back
        weight, averages = updated(recipe, step, weight, kept, averages)
        reference.update(values, clip(recipe, {"w": gradient.numpy()}))
    np.testing.assert_allclose(weight.numpy(), values["w"], rtol=1e-12)
