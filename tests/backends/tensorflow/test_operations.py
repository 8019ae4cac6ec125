"""The operations that a cell may use give in TensorFlow what NumPy gives, in its operands' precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

tf = pytest.importorskip("tensorflow")

from benchsuite.errors import ContractError  # noqa: E402
from benchsuite.schema.cells import OPERATIONS as NAMES  # noqa: E402
from benchsuite_tensorflow.operations import OPERATIONS  # noqa: E402

ALL = np.array([[-90.0, -3.0, -1e-7, 0.0], [1e-7, 0.5, 3.0, 90.0]])
SMALL, POSITIVE = ALL / 30, np.abs(ALL) + 1e-9

UNARY: dict[str, tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]] = {
    "abs": (np.abs, ALL),
    "cos": (np.cos, ALL),
    "exp": (np.exp, SMALL),
    "expm1": (np.expm1, SMALL),
    "log": (np.log, POSITIVE),
    "log1p": (np.log1p, POSITIVE),
    "log_sigmoid": (scipy.special.log_expit, ALL),
    "mean": (lambda x: np.mean(x, -1, keepdims=True), ALL),
    "ones_like": (np.ones_like, ALL),
    "relu": (lambda x: np.maximum(x, 0), ALL),
    "sigmoid": (scipy.special.expit, ALL),
    "sin": (np.sin, ALL),
    "softplus": (lambda x: np.logaddexp(0, x), ALL),
    "sqrt": (np.sqrt, POSITIVE),
    "sum": (lambda x: np.sum(x, -1, keepdims=True), ALL),
    "tanh": (np.tanh, ALL),
    "zeros_like": (np.zeros_like, ALL),
}
OTHERS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "concat": (lambda x, y: OPERATIONS.concat([x, y]), lambda x, y: np.concatenate([x, y], -1)),
    "maximum": (OPERATIONS.maximum, np.maximum),
    "minimum": (OPERATIONS.minimum, np.minimum),
    "split": (lambda x, y: OPERATIONS.split(x - y, 2)[1], lambda x, y: (x - y)[:, 2:]),
    "where": (lambda x, y: OPERATIONS.where(x > y, x, 2 * y), lambda x, y: np.where(x > y, x, 2 * y)),
}


def held(found: Any, expected: np.ndarray, dtype: str) -> None:
    assert found.dtype.name == dtype
    tolerance = {"float32": 5e-7, "float64": 1e-15}[dtype]
    np.testing.assert_allclose(found.numpy(), expected.astype(dtype), rtol=4 * tolerance, atol=1e-37)


def test_every_operation_is_compared() -> None:
    assert UNARY.keys() | OTHERS.keys() == NAMES.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_of_one_array(name: str, dtype: str) -> None:
    numpy, x = UNARY[name]
    x = x.astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        expected = numpy(x.astype(np.float64))
    held(getattr(OPERATIONS, name)(tf.constant(x)), expected, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OTHERS)
def test_of_two_arrays(name: str, dtype: str) -> None:
    ours, numpy = OTHERS[name]
    x, y = ALL.astype(dtype), np.flip(ALL, 0).astype(dtype)
    held(ours(tf.constant(x), tf.constant(y)), numpy(x, y), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("number", [0, 0.5, -np.inf])
def test_numbers_take_the_precision_of_the_array(number: float, dtype: str) -> None:
    """TensorFlow by itself makes a number single precision, and refuses it beside a double."""
    x = ALL.astype(dtype)
    given = tf.constant(x)
    held(OPERATIONS.maximum(given, number), np.maximum(x, number), dtype)
    held(OPERATIONS.minimum(given, number), np.minimum(x, number), dtype)
    held(OPERATIONS.where(given > 0, given, number), np.where(x > 0, x, number), dtype)
    held(OPERATIONS.where(given > 0, number, given), np.where(x > 0, number, x), dtype)


def test_other_operations_are_refused_by_name() -> None:
    with pytest.raises(ContractError, match=r"'einsum', which not every backend has.*xp\.tanh"):
        OPERATIONS.einsum("ab->ba", tf.zeros((2, 2)))
