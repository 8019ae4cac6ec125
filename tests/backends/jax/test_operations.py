"""What a cell may use, in JAX, against the reference's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

from benchsuite.schema.cells import OPERATIONS  # noqa: E402
from benchsuite_jax.operations import JAX_OPERATIONS  # noqa: E402
from benchsuite_numpy.reference.operations import REFERENCE_OPERATIONS  # noqa: E402

POSITIVE = ("log", "sqrt", "log1p")
SINGULAR = {"maximum": 0.25, "minimum": 0.25}
"""Operations of two arguments, and the number that is the second one."""


def applied(operations: Any, name: str, x: Any) -> list[Any]:
    """What the operation gives of x (N, 6)."""
    function = getattr(operations, name)
    if name == "concat":
        return [function([x, 2 * x])]
    if name == "split":
        return list(function(x, 3))
    if name == "where":
        return [function(x > 0.3, x, 0.5), function(x > 0.3, 0.5, x), function(x > 0.3, x, -x)]
    if name in SINGULAR:
        return [function(x, SINGULAR[name]), function(x, -x)]
    return [function(x)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_the_references(name: str, dtype: str) -> None:
    x = np.concatenate(
        [np.random.default_rng(0).normal(size=(5, 6)), np.full((1, 6), 30), np.full((1, 6), -30)]
    )
    x = (np.abs(x) if name in POSITIVE else x).astype(dtype)
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    for found, wanted in zip(
        applied(JAX_OPERATIONS, name, jnp.asarray(x)),
        applied(REFERENCE_OPERATIONS, name, x.astype(np.float64)),
        strict=True,
    ):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=0 if name != "tanh" else 1e-12)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("abs", 0.0),
        ("relu", 0.0),
        ("sigmoid", -30.0),
        ("softplus", -30.0),
        ("log_sigmoid", -800.0),
        ("softplus", 800.0),
    ],
)
def test_derivatives_where_formulas_break(name: str, at: float, dtype: str) -> None:
    from autograd import grad

    found = jax.grad(lambda x: getattr(JAX_OPERATIONS, name)(x))(jnp.asarray(at, dtype))
    wanted = grad(lambda x: getattr(REFERENCE_OPERATIONS, name)(x))(at)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
