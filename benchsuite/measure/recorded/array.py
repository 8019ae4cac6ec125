"""RecordedArray: a NumPy array that has the operators of cells and nothing else, and notes each product."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from benchsuite.errors import ContractError
from benchsuite.schema.cells import OPERATIONS

ALLOWED = f"the operators + - * / @ ** < <= > >= and xp.{', xp.'.join(OPERATIONS)}"


@dataclass(frozen=True)
class RecordedProduct:
    """(m, k) @ (k, n).

    by_row     whether m is the number of rows: the left operand has a row for each row of the batch
    of_inputs  whether the left operand depends on the layer's input alone: on no parameter and no state
    """

    m: int
    k: int
    n: int
    by_row: bool
    of_inputs: bool


@dataclass
class Recorder:
    """Makes recorded arrays, and keeps the products that are computed with them, in order."""

    products: list[RecordedProduct] = field(default_factory=list)

    def parameter(self, values: np.ndarray) -> RecordedArray:
        return RecordedArray(values, self, by_row=False, trained=True)

    def inputs(self, values: np.ndarray) -> RecordedArray:
        return RecordedArray(values, self, by_row=True, trained=False)

    def state(self, values: np.ndarray) -> RecordedArray:
        return RecordedArray(values, self, by_row=True, trained=True)


class RecordedArray:
    """What a cell is given for an array. Whatever not every backend's arrays have raises ContractError.

    values   the numbers, NumPy's
    by_row   whether it has a row for each row of the batch
    trained  whether it depends on a parameter or on a state
    """

    __slots__ = ("by_row", "recorder", "trained", "values")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: np.ndarray, recorder: Recorder, *, by_row: bool, trained: bool) -> None:
        self.values, self.recorder, self.by_row, self.trained = values, recorder, by_row, trained

    def derived(self, values: np.ndarray, *others: Any) -> RecordedArray:
        """`values`, computed from this array and `others`."""
        arrays = [self, *(other for other in others if isinstance(other, RecordedArray))]
        return RecordedArray(
            values,
            self.recorder,
            by_row=any(each.by_row for each in arrays),
            trained=any(each.trained for each in arrays),
        )

    def __neg__(self) -> RecordedArray:
        return self.derived(-number_of(self))

    def __matmul__(self, other: Any) -> RecordedArray:
        left, right = number_of(self), number_of(other, "@")
        if not isinstance(other, RecordedArray) or left.ndim != 2 or np.ndim(right) != 2:
            _refuse(f"@ of shapes {left.shape} and {np.shape(right)}: both must be matrices")
        if other.by_row:
            _refuse("@ whose right operand has a row for each row of the batch: that mixes rows")
        if left.shape[1] != right.shape[0]:
            _refuse(f"@ of shapes {left.shape} and {right.shape}: {left.shape[1]} is not {right.shape[0]}")
        self.recorder.products.append(
            RecordedProduct(
                len(left), len(right), right.shape[1], self.by_row, self.by_row and not self.trained
            )
        )
        return self.derived(left @ right, other)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(f".{name} of an array")

    def __array_ufunc__(self, ufunc: np.ufunc, *_given: Any, **_named: Any) -> NoReturn:
        _refuse(f"numpy.{ufunc.__name__}")

    def __array_function__(self, function: Callable[..., Any], *_given: Any) -> NoReturn:
        _refuse(f"numpy.{function.__name__}")

    def __repr__(self) -> str:
        return f"RecordedArray{self.values.shape}"


def number_of(given: Any, symbol: str = "an operator") -> Any:
    """What an operator computes with: an array's real values, or a Python number."""
    if isinstance(given, RecordedArray):
        if given.values.dtype == bool:
            _refuse(f"{symbol} on a comparison's result: only xp.where may read it")
        return given.values
    if isinstance(given, (bool, np.generic)) or not isinstance(given, (int, float)):
        kind = f"{type(given).__module__}.{type(given).__name__}"
        _refuse(f"{symbol} with a {kind}: use arrays and Python numbers")
    return given


def _binary(symbol: str, compute: Callable[[Any, Any], Any], swapped: bool = False) -> Any:
    def run(self: RecordedArray, other: Any) -> RecordedArray:
        mine, others = number_of(self, symbol), number_of(other, symbol)
        try:
            found = compute(others, mine) if swapped else compute(mine, others)
        except ValueError as error:
            raise ContractError(f"{symbol} of shapes {mine.shape} and {np.shape(others)}: {error}") from error
        return self.derived(found, other)

    return run


def _refused(symbol: str) -> Any:
    def run(_self: RecordedArray, *_given: Any) -> NoReturn:
        _refuse(f"{symbol} of an array")

    return run


def _refuse(what: str) -> NoReturn:
    raise ContractError(f"uses {what}, which not every backend has; allowed are {ALLOWED}")


for _name, _symbol in {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**"}.items():
    setattr(RecordedArray, f"__{_name}__", _binary(_symbol, getattr(operator, _name)))
    setattr(RecordedArray, f"__r{_name}__", _binary(_symbol, getattr(operator, _name), swapped=True))
for _name, _symbol in {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(RecordedArray, f"__{_name}__", _binary(_symbol, getattr(operator, _name)))
for _name, _symbol in {
    "abs": "abs()", "and": "&", "bool": "the truth", "contains": "in", "delitem": "del", "eq": "==",
    "float": "float()", "floordiv": "//", "getitem": "an index", "iadd": "+=", "imatmul": "@=", "imul": "*=",
    "int": "int()", "invert": "~", "isub": "-=", "iter": "iteration", "itruediv": "/=", "ipow": "**=",
    "len": "len()", "mod": "%", "ne": "!=", "or": "|", "pos": "unary +", "rfloordiv": "//",
    "rmatmul": "@ with what is no array", "rmod": "%", "round": "round()", "setitem": "an assignment",
    "xor": "^",
}.items():  # fmt: skip
    setattr(RecordedArray, f"__{_name}__", _refused(_symbol))
