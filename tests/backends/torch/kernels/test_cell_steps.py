"""Every step by hand is the step of torch's own cell, forward and backward."""

from __future__ import annotations

import pytest
import torch

from benchsuite.schema import GATES
from benchsuite_torch.cells import cell_step
from benchsuite_torch.kernels.cell_steps import CELL_STEPS, scaled
from benchsuite_torch.kernels.tanh import BY_EXPM1, PLAIN, Tanh
from benchsuite_torch.layers import Direction, LayerStates

B, H = 4, 3


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def by_torch(cell: str, gx: torch.Tensor, gh: torch.Tensor, state: LayerStates) -> LayerStates:
    """torch's cell, given the pre-activations: x = gx, and gh as the other bias of each row."""
    rows = []
    for row in range(len(gx)):
        width = gx.shape[1]
        w_ih, w_hh = torch.eye(width, dtype=gx.dtype), torch.zeros(width, H, dtype=gx.dtype)
        layer = Direction("", False, w_ih, w_hh, torch.zeros(width, dtype=gx.dtype), gh[row])
        own = tuple(part[row : row + 1] for part in state)
        rows.append(cell_step(cell, gx[row : row + 1], own, layer))
    return tuple(torch.cat(parts) for parts in zip(*rows, strict=True))


@pytest.mark.parametrize("tanh", [PLAIN, BY_EXPM1], ids=["plain", "expm1"])
@pytest.mark.parametrize("cell", list(CELL_STEPS))
def test_a_step_by_hand_is_the_step_that_autograd_records(cell: str, tanh: Tanh) -> None:
    width = GATES[cell] * H
    gx, gh, h, c = random(B, width), random(B, width), random(B, H), random(B, H)
    state: LayerStates = (h, c) if cell == "lstm" else (h,)
    recorded = by_torch(cell, gx, gh, state)
    gradients = tuple(torch.randn_like(part) for part in recorded)
    wanted = torch.autograd.grad(recorded, [gx, gh, h, c], gradients, allow_unused=True)

    out, d_gx, d_gh = torch.empty_like(h), torch.empty_like(gx), torch.empty_like(gh)
    before, d_after = (c, gradients[1]) if cell == "lstm" else (None, None)
    with torch.no_grad():
        entering = scaled(CELL_STEPS[cell], tanh, gx.t(), H).t()
        recurrent = gh.clone() if cell == "gru" else scaled(CELL_STEPS[cell], tanh, gh.t(), H).t()
        views = CELL_STEPS[cell].views
        after, saved = CELL_STEPS[cell].forward(tanh, views(entering), views(recurrent), h, before, out)
        d_h, d_c = CELL_STEPS[cell].backward(gradients[0], d_after, saved, views(d_gx), views(d_gh))
    assert torch.allclose(out, recorded[0], rtol=0, atol=1e-15)
    for found, expected in zip((d_gx, d_gh, d_h, d_c), wanted, strict=True):
        mine, theirs = (torch.zeros(()) if one is None else one for one in (found, expected))
        assert torch.allclose(mine.double(), theirs.double(), rtol=1e-12, atol=1e-15)
    assert after is None or torch.allclose(after, recorded[1], rtol=0, atol=1e-15)
