"""What a cell may use, in PyTorch: values and derivatives beside the reference's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from autograd import grad

from benchsuite.schema.cells import OPERATIONS
from benchsuite_numpy.reference.operations import REFERENCE_OPERATIONS
from benchsuite_torch.operations import TORCH_OPERATIONS

POSITIVE = ("log", "sqrt", "log1p")
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}


def use(operations: Any, name: str) -> Callable[[Any], list[Any]]:
    """A function that applies an operation to x (N, 6) in each way that a cell may."""
    function = getattr(operations, name)
    if name == "concat":
        return lambda x: [function([x, 2 * x])]
    if name == "split":
        return lambda x: list(function(x, 3))
    if name == "where":
        return lambda x: [function(x > 0.3, x, 0.5), function(x > 0.3, 0.5, x), function(x > 0.3, x, -x)]
    if name in ("maximum", "minimum"):
        return lambda x: [function(x, 0.25), function(x, -x)]
    return lambda x: [function(x)]


def numbers(name: str) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(5, 6))
    x = np.concatenate([drawn, np.full((1, 6), 30), np.full((1, 6), -30)])
    return np.abs(x) if name in POSITIVE else x


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_the_references(name: str, dtype: str) -> None:
    x = numbers(name).astype(dtype)
    found, wanted = use(TORCH_OPERATIONS, name)(torch.from_numpy(x)), use(REFERENCE_OPERATIONS, name)(x * 1.0)
    for mine, other in zip(found, wanted, strict=True):
        assert mine.dtype == getattr(torch, dtype)
        np.testing.assert_allclose(mine.numpy(), other, rtol=TOLERANCES[dtype], atol=1e-300)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.endswith("_like")])
def test_every_derivative_is_the_references(name: str) -> None:
    x = numbers(name)
    wanted = grad(lambda x: sum((each * each).sum() for each in use(REFERENCE_OPERATIONS, name)(x)))(x)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    loss = sum((each * each).sum() for each in use(TORCH_OPERATIONS, name)(tensor))
    (found,) = torch.autograd.grad(loss, tensor)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("abs", 0.0),
        ("relu", 0.0),
        ("sigmoid", -700.0),
        ("softplus", -30.0),
        ("softplus", 25.0),
        ("softplus", 800.0),
        ("log_sigmoid", -800.0),
        ("maximum", 0.0),
        ("minimum", 0.0),
    ],
)
def test_derivatives_where_formulas_break(name: str, at: float) -> None:
    wanted = grad(lambda x: use(REFERENCE_OPERATIONS, name)(x)[-1])(at)
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(use(TORCH_OPERATIONS, name)(x)[-1], x)
    assert float(found) == pytest.approx(float(wanted), rel=1e-12, abs=0)


def test_parts_that_are_not_equal_are_refused() -> None:
    with pytest.raises(ValueError, match="7 numbers into 3"):
        TORCH_OPERATIONS.split(torch.zeros(2, 7), 3)
