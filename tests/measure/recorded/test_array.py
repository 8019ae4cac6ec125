"""Recorded arrays: operators that every backend has compute NumPy's numbers, all else is refused by name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchsuite.errors import ContractError
from benchsuite.measure.recorded.array import RecordedProduct, Recorder

A = np.array([[0.5, 2.0, 3.0], [1.0, 0.25, 4.0]])
B = np.array([[2.0, 1.0, 3.0], [1.5, 2.0, 0.5]])
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_numpys_between_arrays_and_with_numbers(name: str) -> None:
    compute, recorder = getattr(operator, name), Recorder()
    left, right = recorder.inputs(A), recorder.inputs(B)
    for found, expected in (
        (compute(left, right), compute(A, B)),
        (compute(left, 2), compute(A, 2)),
        (compute(1.5, left), compute(1.5, A)),
        (compute(left, recorder.parameter(B[0])), compute(A, B[0])),
    ):
        np.testing.assert_array_equal(found.values, expected)
    np.testing.assert_array_equal((-left).values, -A)
    assert not recorder.products


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_numbers_do_not_change_the_dtype(name: str) -> None:
    array = Recorder().inputs(A.astype(np.float32))
    assert getattr(operator, name)(array, 2.5).values.dtype == np.float32
    assert getattr(operator, name)(2, array).values.dtype == np.float32


def test_products_are_noted_with_what_they_depend_on() -> None:
    recorder = Recorder()
    x, h, w = recorder.inputs(A), recorder.state(A), recorder.parameter(np.ones((3, 5)))
    np.testing.assert_array_equal((x @ w).values, A @ np.ones((3, 5)))
    h @ w
    scaled: Any = x
    (scaled * recorder.parameter(np.ones(3))) @ w
    recorder.parameter(np.ones((4, 3))) @ w
    assert recorder.products == [
        RecordedProduct(2, 3, 5, by_row=True, of_inputs=True),
        RecordedProduct(2, 3, 5, by_row=True, of_inputs=False),
        RecordedProduct(2, 3, 5, by_row=True, of_inputs=False),
        RecordedProduct(4, 3, 5, by_row=False, of_inputs=False),
    ]


REFUSED: dict[str, Callable[[Any], Any]] = {
    "an index": lambda x: x[0],
    "an assignment": lambda x: x.__setitem__(0, 1.0),
    "iteration": lambda x: list(x),
    "the truth": lambda x: x and x,
    "==": lambda x: x == x,
    "!=": lambda x: x != 0,
    "//": lambda x: x // 2,
    "%": lambda x: 2 % x,
    "+=": lambda x: operator.iadd(x, 1),  # type: ignore[no-untyped-call]
    "*=": lambda x: operator.imul(x, 2),  # type: ignore[no-untyped-call]
    "abs()": lambda x: abs(x),
    "len()": lambda x: len(x),
    "float()": lambda x: float(x),
    "&": lambda x: (x > 0) & (x > 1),
    "~": lambda x: ~(x > 0),
    ".sum of an array": lambda x: x.sum(),
    ".T of an array": lambda x: x.T,
    ".shape of an array": lambda x: x.shape,
    "numpy.tanh": lambda x: np.tanh(x),
    "numpy.concatenate": lambda x: np.concatenate([x, x]),
    "numpy.add": lambda x: A + x,
    "numpy.multiply": lambda x: np.float64(2.0) * x,
    "+ with a numpy.ndarray": lambda x: x + A,
    "* with a numpy.float64": lambda x: x * np.float64(2.0),
    "- with a builtins.NoneType": lambda x: x - None,
    "* on a comparison's result": lambda x: (x > 0) * x,
    "both must be matrices": lambda x: x @ x.recorder.parameter(np.ones(3)),
    "that mixes rows": lambda x: x.recorder.parameter(np.ones((4, 2))) @ x,
    "3 is not 2": lambda x: x @ x.recorder.parameter(np.ones((2, 2))),
    "numpy.matmul": lambda x: np.ones((4, 2)) @ x,
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_not_every_backend_has_is_refused_by_name(what: str) -> None:
    with pytest.raises(ContractError) as refused:
        REFUSED[what](Recorder().inputs(A))
    assert what in str(refused.value)
    assert "allowed are the operators + - * / @ ** < <= > >= and xp.abs, xp.concat" in str(refused.value)


def test_shapes_that_do_not_fit_are_named() -> None:
    recorder = Recorder()
    with pytest.raises(ContractError, match=r"\+ of shapes \(2, 3\) and \(4,\)"):
        recorder.inputs(A) + recorder.parameter(np.ones(4))  # type: ignore[operator]
