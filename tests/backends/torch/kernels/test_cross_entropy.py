"""Output layer and cross-entropy in one operation: the numbers of torch's own two, whatever the blocks."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from benchsuite_torch.kernels import cross_entropy
from benchsuite_torch.kernels.cross_entropy import ProjectedCrossEntropy


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("n", [1, 63, 150])
@pytest.mark.parametrize("block", [1, 1 << 30])
def test_projected_cross_entropy_whatever_the_blocks(
    monkeypatch: pytest.MonkeyPatch, n: int, block: int, smoothing: float
) -> None:
    monkeypatch.setattr(cross_entropy, "BLOCK_BYTES", block)
    x, w, b, targets = random(n, 5), random(5, 7), random(7), torch.randint(0, 7, (n,))
    found = ProjectedCrossEntropy.apply(x, w, b, targets, smoothing)
    expected = functional.cross_entropy(torch.addmm(b, x, w), targets, label_smoothing=smoothing)
    assert found.item() == pytest.approx(expected.item(), rel=1e-14)
    for one, other in zip(
        torch.autograd.grad(3 * found, [x, w, b]), torch.autograd.grad(3 * expected, [x, w, b]), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-12, atol=1e-15)


def test_projected_cross_entropy_of_scores_beyond_the_exponentials_range() -> None:
    x = torch.tensor([[1e4], [-1e4]], dtype=torch.float64, requires_grad=True)
    w, b = torch.tensor([[1.0, -1.0]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    loss = ProjectedCrossEntropy.apply(x, w, b, torch.tensor([0, 0]))
    assert loss.item() == 1e4
    (gradient,) = torch.autograd.grad(loss, x)
    assert gradient[:, 0].tolist() == [0.0, -1.0]


def test_a_weight_takes_over_the_gradient_without_a_copy() -> None:
    """A gradient that the operation still held would be copied: V * F numbers at every step."""
    x, w, b = random(9, 5), random(5, 7), random(7)
    places = []

    class Spy(torch.autograd.Function):  # type: ignore[misc]
        """The identity, which notes where the gradient lies."""

        @staticmethod
        def forward(_: torch.autograd.function.FunctionCtx, given: torch.Tensor) -> torch.Tensor:
            return given.view_as(given)

        @staticmethod
        def backward(_: torch.autograd.function.FunctionCtx, d: torch.Tensor) -> torch.Tensor:
            places.append(d.data_ptr())
            return d

    ProjectedCrossEntropy.apply(x, Spy.apply(w), b, torch.arange(9) % 7).backward()
    assert w.grad is not None
    assert w.grad.data_ptr() == places[0]
