"""The operations whose derivatives are written by hand are held to autograd and to finite differences."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch.nn import functional

from benchsuite.schema import GATES as GATE_COUNTS
from benchsuite_torch import projection
from benchsuite_torch.additive import AdditiveLoop
from benchsuite_torch.cells import CELLS
from benchsuite_torch.gates import GATES, scaled
from benchsuite_torch.projection import ProjectedCrossEntropy
from benchsuite_torch.stack import State
from benchsuite_torch.tanh import BY_EXPM1, PLAIN, Tanh

U, B, T, H, F, A = 3, 4, 5, 3, 2, 6
CELL_NAMES = list(CELLS)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("tanh", [PLAIN, BY_EXPM1], ids=["plain", "expm1"])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_a_step_by_hand_is_the_step_that_autograd_records(cell: str, tanh: Tanh) -> None:
    width = GATE_COUNTS[cell] * H
    gx, gh, h, c = random(B, width), random(B, width), random(B, H), random(B, H)
    state: State = (h, c) if cell == "lstm" else (h,)
    recorded = CELLS[cell](gx, gh if cell == "gru" else gx + gh, state)
    gradients = tuple(torch.randn_like(part) for part in recorded)
    wanted = torch.autograd.grad(recorded, [gx, gh, h, c], gradients, allow_unused=True)

    out, d_gx, d_gh = torch.empty_like(h), torch.empty_like(gx), torch.empty_like(gh)
    before, d_after = (c, gradients[1]) if cell == "lstm" else (None, None)
    with torch.no_grad():
        entering = scaled(GATES[cell], tanh, gx.t(), H).t()
        recurrent = gh.clone() if cell == "gru" else scaled(GATES[cell], tanh, gh.t(), H).t()
        views = GATES[cell].views
        after, saved = GATES[cell].forward(tanh, views(entering), views(recurrent), h, before, out)
        d_h, d_c = GATES[cell].backward(gradients[0], d_after, saved, views(d_gx), views(d_gh))
    assert torch.allclose(out, recorded[0], rtol=0, atol=1e-15)
    for found, expected in zip((d_gx, d_gh, d_h, d_c), wanted, strict=True):
        assert (found is None) == (expected is None)
        assert found is None or torch.allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert after is None or torch.allclose(after, recorded[1], rtol=0, atol=1e-15)


def loop_arguments(cell: str, layers: int) -> list[torch.Tensor | None]:
    """What AdditiveLoop takes from `projected` on."""
    width = GATE_COUNTS[cell] * H
    own = [
        part for _ in range(layers) for part in (random(width, H), random(width) if cell == "gru" else None)
    ]
    upper = [part for _ in range(layers - 1) for part in (random(width, H), random(width))]
    shared = [random(U, B, width), random(B, T, F), random(B, T, A), random(layers, B, H)]
    probe = torch.zeros(layers, U, B, H, dtype=torch.float64, requires_grad=True)
    return [*shared, probe, random(A, H), random(A), random(width, F), *own, *upper]


def barred(*lengths: int) -> torch.Tensor:
    padding = torch.arange(T) >= torch.tensor(lengths)[:, None]
    return torch.zeros(padding.shape, dtype=torch.float64).masked_fill(padding, -torch.inf)


def recorded_loop(cell: str, bars: torch.Tensor, arguments: list[torch.Tensor | None]) -> torch.Tensor:
    """AdditiveLoop as the textbook has it, recorded by autograd; the probe is added to each h_t."""
    projected, memory, keys, first, probe, w_q, v, w_c, *weights = arguments
    assert probe is not None
    own, upper = weights[: 2 * len(first)], weights[2 * len(first) :]
    h, c = list(first), [torch.zeros_like(one) for one in first]
    features = []
    for t in range(U):
        e = torch.tanh((h[-1] @ w_q.t())[:, None] + keys) @ v
        context = torch.bmm((e + bars).softmax(1)[:, None], memory)[:, 0]
        x = projected[t] + context @ w_c.t()
        for layer in range(len(first)):
            gx = functional.linear(h[layer - 1], *upper[2 * layer - 2 : 2 * layer]) if layer else x
            gh = functional.linear(h[layer], *own[2 * layer : 2 * layer + 2])
            after = CELLS[cell](
                gx, gh if cell == "gru" else gx + gh, (h[layer], c[layer]) if cell == "lstm" else (h[layer],)
            )
            h[layer] = after[0] + probe[layer, t]
            c[layer] = after[-1]
        features.append(torch.cat([h[-1], context], dim=1))
    return torch.stack(features)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_loop_by_hand_is_the_loop_that_autograd_records(cell: str, layers: int) -> None:
    arguments, bars = loop_arguments(cell, layers), barred(5, 1, 3, 4)
    found = AdditiveLoop.apply(cell, bars, *arguments)
    expected = recorded_loop(cell, bars, arguments)
    assert torch.allclose(found, expected, rtol=0, atol=1e-14)
    slope = torch.randn_like(found)
    given = [one for one in arguments if one is not None]
    for one, other in zip(
        torch.autograd.grad(found, given, slope), torch.autograd.grad(expected, given, slope), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_loop_by_hand_is_held_to_finite_differences(cell: str) -> None:
    arguments = loop_arguments(cell, 2)
    arguments[4] = None  # the probe's gradient is not that of a zero that is never read
    places = [index for index, one in enumerate(arguments) if one is not None]

    def run(*given: torch.Tensor) -> torch.Tensor:
        filled = list(arguments)
        for index, one in zip(places, given, strict=True):
            filled[index] = one
        features: torch.Tensor = AdditiveLoop.apply(cell, barred(5, 1, 3, 4), *filled)
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


@pytest.mark.parametrize("n", [1, 63, 150])
@pytest.mark.parametrize("block", [1, 1 << 30])
def test_projected_cross_entropy_whatever_the_blocks(
    monkeypatch: pytest.MonkeyPatch, n: int, block: int
) -> None:
    monkeypatch.setattr(projection, "BLOCK_BYTES", block)
    x, w, b, targets = random(n, 5), random(5, 7), random(7), torch.randint(0, 7, (n,))
    found = ProjectedCrossEntropy.apply(x, w, b, targets)
    expected = functional.cross_entropy(torch.addmm(b, x, w), targets)
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


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 5e-16), (torch.float32, 2.5e-7)])
def test_sigmoid_gives_tanh_to_the_last_bits(dtype: torch.dtype, limit: float) -> None:
    x = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    by_sigmoid = 2 * (2 * x.to(dtype)).sigmoid() - 1
    assert (by_sigmoid.double() - x.to(dtype).double().tanh()).abs().max() < limit
