"""The loop of additive attention by hand: the one that autograd records, and finite differences."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch.nn import functional

from benchsuite.schema import GATES
from benchsuite_torch.cells import OPERATORS, cell_step
from benchsuite_torch.kernels.attention_loop import AdditiveLoop
from benchsuite_torch.layers import Direction

U, B, T, H, F, A = 3, 4, 5, 3, 2, 6
CELL_NAMES = list(OPERATORS)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def loop_arguments(cell: str, layers: int) -> list[torch.Tensor | None]:
    """What AdditiveLoop takes from `projected` on."""
    width = GATES[cell] * H
    own = [
        part for _ in range(layers) for part in (random(width, H), random(width) if cell == "gru" else None)
    ]
    upper = [part for _ in range(layers - 1) for part in (random(width, H), random(width))]
    shared = [random(U, B, width), random(B, T, F), random(B, T, A), random(layers, B, H)]
    probe = torch.zeros(layers, U, B, H, dtype=torch.float64, requires_grad=True)
    return [*shared, probe, random(A, H), random(A), random(width, F), *own, *upper]


def score_mask(*lengths: int) -> torch.Tensor:
    padding = torch.arange(T) >= torch.tensor(lengths)[:, None]
    return torch.zeros(padding.shape, dtype=torch.float64).masked_fill(padding, -torch.inf)


def recorded_loop(cell: str, bars: torch.Tensor, arguments: list[Any]) -> torch.Tensor:
    """AdditiveLoop as the textbook has it, recorded by autograd; the probe is added to each h_t."""
    projected, memory, keys, first, probe, w_q, v, w_c, *recurrent = arguments
    assert probe is not None
    own, upper = recurrent[: 2 * len(first)], recurrent[2 * len(first) :]
    h, c = list(first), [torch.zeros_like(one) for one in first]
    features = []
    for t in range(U):
        e = torch.tanh((h[-1] @ w_q.t())[:, None] + keys) @ v
        context = torch.bmm((e + bars).softmax(1)[:, None], memory)[:, 0]
        x = projected[t] + context @ w_c.t()
        for layer in range(len(first)):
            gx = functional.linear(h[layer - 1], *upper[2 * layer - 2 : 2 * layer]) if layer else x
            state = (h[layer], c[layer]) if cell == "lstm" else (h[layer],)
            w_hh, b_hh = own[2 * layer : 2 * layer + 2]
            identity, zeros = torch.eye(gx.shape[1], dtype=gx.dtype), gx.new_zeros(gx.shape[1])
            weights = Direction("", False, identity, w_hh, zeros, zeros if b_hh is None else b_hh)
            after = cell_step(cell, gx, state, weights)
            h[layer] = after[0] + probe[layer, t]
            c[layer] = after[-1]
        features.append(torch.cat([h[-1], context], dim=1))
    return torch.stack(features)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_loop_by_hand_is_the_loop_that_autograd_records(cell: str, layers: int) -> None:
    arguments, bars = loop_arguments(cell, layers), score_mask(5, 1, 3, 4)
    found = AdditiveLoop.apply(cell, bars, *arguments)
    expected = recorded_loop(cell, bars, arguments)
    assert torch.allclose(found, expected, rtol=0, atol=1e-14)
    d = torch.randn_like(found)
    given = [one for one in arguments if one is not None]
    for one, other in zip(
        torch.autograd.grad(found, given, d), torch.autograd.grad(expected, given, d), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_loop_by_hand_agrees_with_finite_differences(cell: str) -> None:
    arguments = loop_arguments(cell, 2)
    arguments[4] = None  # the probe's gradient is not that of a zero that is never read
    places = [index for index, one in enumerate(arguments) if one is not None]

    def run(*given: torch.Tensor) -> torch.Tensor:
        filled = list(arguments)
        for index, one in zip(places, given, strict=True):
            filled[index] = one
        features: torch.Tensor = AdditiveLoop.apply(cell, score_mask(5, 1, 3, 4), *filled)
        return features

    assert torch.autograd.gradcheck(run, [arguments[index] for index in places])


def test_nothing_is_kept_where_no_gradient_is_wanted() -> None:
    arguments = [None if one is None else one.detach() for one in loop_arguments("gru", 1)]
    assert AdditiveLoop.apply("gru", None, *arguments).grad_fn is None


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_a_loop_that_nobody_differentiates_is_freed(cell: str) -> None:
    arguments = loop_arguments(cell, 2)
    features = AdditiveLoop.apply(cell, None, *arguments)
    assert arguments[1] is not None
    memory = weakref.ref(arguments[1])
    del arguments, features
    assert memory() is None


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 5e-16), (torch.float32, 2.5e-7)])
def test_sigmoid_gives_tanh_to_the_last_bits(dtype: torch.dtype, limit: float) -> None:
    x = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    by_sigmoid = 2 * (2 * x.to(dtype)).sigmoid() - 1
    assert (by_sigmoid.double() - x.to(dtype).double().tanh()).abs().max() < limit
