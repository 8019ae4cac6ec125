"""Operations on recorded arrays: SciPy's and NumPy's numbers, without overflow; wrong arguments are named."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, log_expit

from benchsuite.errors import ContractError
from benchsuite.measure.recorded.array import Recorder
from benchsuite.measure.recorded.operations import recorded_operations
from benchsuite.schema.cells import OPERATIONS

XP = recorded_operations()
X = np.array([[-800.0, -30.0, -1e-9, 0.0], [1e-9, 0.5, 30.0, 800.0]])
Y = np.array([[0.25, -40.0, 1.0, 0.0], [2.0, 0.5, -3.0, 900.0]])
POSITIVE = np.abs(X) + 0.125
SMALL = X / 100

EXPECTED: dict[str, tuple[tuple[np.ndarray, ...], Callable[..., Any]]] = {
    "abs": ((X,), np.abs),
    "cos": ((X,), np.cos),
    "exp": ((SMALL,), np.exp),
    "expm1": ((SMALL,), np.expm1),
    "log": ((POSITIVE,), np.log),
    "log1p": ((POSITIVE,), np.log1p),
    "log_sigmoid": ((X,), log_expit),
    "maximum": ((X, Y), np.maximum),
    "mean": ((X,), lambda x: x.mean(1)[:, None]),
    "minimum": ((X, Y), np.minimum),
    "ones_like": ((X,), np.ones_like),
    "relu": ((X,), lambda x: x * (x > 0)),
    "sigmoid": ((X,), expit),
    "sin": ((X,), np.sin),
    "softplus": ((X,), lambda x: -log_expit(-x)),
    "sqrt": ((POSITIVE,), np.sqrt),
    "sum": ((X,), lambda x: x.sum(1)[:, None]),
    "tanh": ((X,), np.tanh),
    "zeros_like": ((X,), np.zeros_like),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_operation_is_what_its_description_says(name: str, dtype: str) -> None:
    arguments, compute = EXPECTED[name]
    given = [argument.astype(dtype) for argument in arguments]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = getattr(XP, name)(*(Recorder().inputs(each) for each in given)).values
    assert found.dtype == dtype
    np.testing.assert_allclose(found, compute(*given), rtol=1e-6 if dtype == "float32" else 1e-14, atol=0)


def test_parts_are_joined_cut_and_chosen() -> None:
    x: Any = Recorder().inputs(X)
    y: Any = Recorder().inputs(Y)
    np.testing.assert_array_equal(XP.concat([x, y]).values, np.concatenate([X, Y], 1))
    first, second = XP.split(x, 2)
    np.testing.assert_array_equal(first.values, X[:, :2])
    np.testing.assert_array_equal(second.values, X[:, 2:])
    np.testing.assert_array_equal(XP.where(x > y, x, y).values, np.maximum(X, Y))
    np.testing.assert_array_equal(XP.where(x > 0, x, -1).values, np.where(X > 0, X, -1))
    np.testing.assert_array_equal(XP.maximum(x, 0.5).values, np.maximum(X, 0.5))


def test_every_operation_is_tested() -> None:
    assert {*EXPECTED, "concat", "split", "where"} == OPERATIONS.keys()


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "number for an array": (lambda x: XP.tanh(1.0), "xp.tanh: takes an array, not float"),
    "NumPy array": (lambda x: XP.exp(X), "xp.exp: takes an array, not ndarray"),
    "uneven split": (lambda x: XP.split(x, 3), "xp.split: cannot cut 4 columns into 3 equal parts"),
    "condition": (lambda x: XP.where(x, x, x), "its condition must be a comparison's result"),
    "two numbers": (lambda x: XP.where(x > 0, 1, 0), "one of x and y must be an array"),
    "no list": (lambda x: XP.concat(x), "takes a list of arrays, not RecordedArray"),
    "two arrays": (lambda x: XP.maximum(x, None), "xp.maximum with a builtins.NoneType"),
    "comparison": (lambda x: XP.sum(x > 0), "xp.sum on a comparison's result"),
    "shapes": (
        lambda x: XP.where(x > 0, x, x.recorder.parameter(np.ones(3))),
        "xp.where: of shapes (2, 4), (2, 4), (3,)",
    ),
    "unknown": (lambda x: XP.matmul(x, x), "a cell uses the operation 'matmul', which not every backend has"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_argument_is_named(kind: str) -> None:
    use, said = WRONG[kind]
    with pytest.raises(ContractError) as refused:
        use(Recorder().inputs(X))
    assert said in str(refused.value)
