"""Either library's products are the products, and the rule picks by shape, dtype and device alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchsuite.measure.conformance.cases import Case, decoder_cases, model_cases
from benchsuite.schema import Execution, Recipe
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.kernels import matmul
from benchsuite_torch.kernels.matmul import (
    BLAS,
    Affine,
    Matmul,
    OneDnn,
    add,
    chosen_matmul,
    linear,
    weight_grad,
)

WAYS = [BLAS, *([OneDnn()] if matmul.has_onednn() else [])]
WIDE = (64, 160, 128)
SHAPES = [(1, 1, 1), (3, 5, 7), WIDE]


def tensors(m: int, k: int, n: int) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return torch.randn(m, k), torch.randn(n, k), torch.randn(n), torch.randn(m, n)


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return bool(torch.allclose(found.double(), wanted, rtol=1e-5, atol=1e-4))


@pytest.mark.parametrize("transposed", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
def test_each_way_multiplies(way: Matmul, shape: tuple[int, int, int], transposed: bool) -> None:
    x, w, b, plus = tensors(*shape)
    if transposed:  # the other memory order
        x, w = x.t().contiguous().t(), w.t().contiguous().t()
    exact = x.double() @ w.double().t()
    prepared = way.prepare(w)
    assert close(way.linear(x, prepared), exact)
    assert close(way.linear(x, prepared, b), exact + b)
    assert close(way.weight_grad(plus, x), plus.double().t() @ x.double())
    assert close(way.add(x, prepared, plus.clone()), exact + plus)


@pytest.mark.skipif(not matmul.has_onednn(), reason="this build of torch has no oneDNN")
def test_a_part_of_a_larger_matrix_is_copied_for_onednn() -> None:
    whole, way = torch.randn(6, 8), OneDnn()
    assert way.prepare(whole) is whole
    assert way.prepare(transposed := whole.t()) is transposed
    for part in (whole[:, :5], whole[:, :5].t()):
        assert way.prepare(part).is_contiguous()


def test_the_short_forms_take_the_way_of_their_shape() -> None:
    x, w, b, plus = tensors(*WIDE)
    exact = x.double() @ w.double().t()
    assert close(linear(x, w, b), exact + b)
    assert close(weight_grad(plus, x), plus.double().t() @ x.double())
    assert close(add(plus.clone(), x, w), exact + plus)


def test_an_affine_map_has_the_gradients_of_autograd() -> None:
    x, w, b, slope = (part.double() for part in tensors(4, 5, 3))
    inputs = [part.requires_grad_() for part in (x, w, b)]
    assert torch.autograd.gradcheck(Affine.apply, inputs)
    wanted = torch.autograd.grad(torch.nn.functional.linear(*inputs), inputs, slope)
    found = torch.autograd.grad(Affine.apply(*inputs), inputs, slope)
    assert all(torch.allclose(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("shape", "dtype", "products", "expected"),
    [
        (WIDE, torch.float32, "onednn", OneDnn),
        (WIDE, torch.float32, "blas", type(BLAS)),
        (WIDE, torch.float64, "onednn", type(BLAS)),
        ((32, 128, 128), torch.float32, "onednn", type(BLAS)),
        ((100_000, 1, 512), torch.float32, "onednn", type(BLAS)),
    ],
)
def test_onednn_multiplies_what_is_large_where_it_is_chosen(
    shape: tuple[int, int, int],
    dtype: torch.dtype,
    products: str,
    expected: type,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matmul, "_products", products)
    assert type(chosen_matmul(*shape, torch.empty(0, dtype=dtype))) is expected


@pytest.mark.skipif(not matmul.has_onednn(), reason="this build of torch has no oneDNN")
@pytest.mark.parametrize("case", [*model_cases(), *decoder_cases()], ids=lambda case: case.name)
def test_a_model_is_the_same_by_either_library(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small products included."""
    found = []
    monkeypatch.setattr(matmul, "ONEDNN_FROM", 0)
    monkeypatch.setattr(matmul, "NARROWEST", 1)
    for products in matmul.PRODUCTS:
        execution = Execution(unroll="dynamic", choices=f"products={products}")
        program = TorchBackend().build(case.model, case.parameters("float32"), Recipe(), execution)
        placed = program.place(case.batch("float32"))
        gradients = program.gradients(placed)
        program.step(placed)
        found.append((gradients, program.predict(placed)[0]))
    (one, scores), (other, others) = found
    assert one.loss == pytest.approx(other.loss, rel=1e-5)
    np.testing.assert_allclose(scores, others, rtol=1e-4, atol=1e-4)
    for name, gradient in one.parameters.items():
        np.testing.assert_allclose(gradient, other.parameters[name], rtol=1e-4, atol=1e-5)
