"""tanh of the loops: accurate for every argument, whichever way it is computed."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchsuite_torch.kernels import tanh as module
from benchsuite_torch.kernels.tanh import BY_EXPM1, PLAIN, Tanh, chosen_tanh

WAYS = pytest.mark.parametrize("tanh", [PLAIN, BY_EXPM1], ids=["plain", "expm1"])
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


@WAYS
@DTYPES
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=70))
def test_tanh_keeps_its_digits_everywhere(dtype: torch.dtype, tanh: Tanh, values: list[float]) -> None:
    """Relative to each value, not to the largest: near zero an error of 1e-7 is no rounding error."""
    y = torch.tensor(values, dtype=dtype)
    exact = torch.tensor([math.tanh(float(value)) for value in y], dtype=torch.float64)
    for found in (
        tanh(y, torch.empty_like(y)),
        tanh.prescaled(y * tanh.factor, torch.empty_like(y)),
        tanh(y.clone(), y.clone()),
    ):
        allowed = 3 * torch.finfo(dtype).eps * exact.abs() + torch.finfo(dtype).tiny
        assert torch.all((found - exact).abs() <= allowed)


@WAYS
@DTYPES
def test_tanh_at_the_ends(dtype: torch.dtype, tanh: Tanh) -> None:
    y = torch.tensor([-math.inf, -1e30, 0.0, 1e30, math.inf, math.nan], dtype=dtype)
    found = tanh(y, torch.empty_like(y))
    assert found[:5].tolist() == [-1, -1, 0, 1, 1]
    assert math.isnan(found[5])


@WAYS
def test_result_may_replace_its_argument(tanh: Tanh) -> None:
    wide = torch.randn(5, 12)
    part = wide[:, 4:8]
    expected, others = part.tanh(), wide[:, :4].clone()
    assert torch.allclose(tanh(part, part), expected)
    assert torch.allclose(wide[:, 4:8], expected)
    assert torch.equal(wide[:, :4], others)


@pytest.mark.parametrize(
    ("chosen", "rows", "way"), [("expm1", 3000, BY_EXPM1), ("expm1", 3, PLAIN), ("plain", 3000, PLAIN)]
)
def test_expm1_is_taken_for_large_tensors_where_it_is_chosen(
    monkeypatch: pytest.MonkeyPatch, chosen: str, rows: int, way: Tanh
) -> None:
    monkeypatch.setattr(module, "_way", chosen)
    assert chosen_tanh(rows, 2, torch.zeros(1)) is way
