"""The operations of cells, on recorded arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from benchsuite.errors import ContractError
from benchsuite.measure.recorded.array import RecordedArray, number_of
from benchsuite.schema.cells import OPERATIONS, Operations


def _sigmoid(x: np.ndarray) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _softplus(x: np.ndarray) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


ELEMENTWISE: dict[str, Callable[[np.ndarray], Any]] = {
    **{
        name: getattr(np, name)
        for name in ("abs", "cos", "exp", "expm1", "log", "log1p", "sin", "sqrt", "tanh")
    },
    "log_sigmoid": lambda x: -_softplus(-x),
    "mean": lambda x: x.mean(-1, keepdims=True),
    "ones_like": np.ones_like,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "sum": lambda x: x.sum(-1, keepdims=True),
    "zeros_like": np.zeros_like,
}


def recorded_operations() -> Operations:
    """What a cell gets as `xp` where it is recorded. An operation that is given something else than it takes
    raises ContractError."""
    functions: dict[str, Callable[..., Any]] = {
        name: _elementwise(name, compute) for name, compute in ELEMENTWISE.items()
    }
    functions |= {"concat": _concat, "split": _split, "where": _where}
    functions |= {name: _extremum(name, getattr(np, name)) for name in ("maximum", "minimum")}
    return Operations("recorded arrays", functions)


def _elementwise(name: str, compute: Callable[[np.ndarray], Any]) -> Callable[[Any], RecordedArray]:
    def run(x: Any) -> RecordedArray:
        return _array(name, x).derived(compute(number_of(x, f"xp.{name}")))

    return run


def _extremum(name: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], RecordedArray]:
    def run(x: Any, y: Any) -> RecordedArray:
        values = number_of(x, f"xp.{name}"), number_of(y, f"xp.{name}")
        return _array(name, x).derived(_computed(name, compute, *values), y)

    return run


def _where(condition: Any, x: Any, y: Any) -> RecordedArray:
    if _array("where", condition).values.dtype != bool:
        _wrong("where", "its condition must be a comparison's result")
    dtype = next((each.values.dtype for each in (x, y) if isinstance(each, RecordedArray)), None)
    if dtype is None:
        _wrong("where", "one of x and y must be an array")
    x_values, y_values = (np.asarray(number_of(each, "xp.where"), dtype) for each in (x, y))
    found = _computed("where", np.where, condition.values, x_values, y_values)
    return condition.derived(found, x, y)  # type: ignore[no-any-return]


def _concat(parts: Any) -> RecordedArray:
    if not isinstance(parts, (tuple, list)) or not parts:
        _wrong("concat", f"takes a list of arrays, not {type(parts).__name__}")
    values = [number_of(_array("concat", part), "xp.concat") for part in parts]
    joined = _computed("concat", lambda *each: np.concatenate(each, axis=-1), *values)
    first: RecordedArray = parts[0]
    return first.derived(joined, *parts[1:])


def _split(x: Any, n: Any) -> list[RecordedArray]:
    values = number_of(_array("split", x), "xp.split")
    if not isinstance(n, int) or n < 1 or values.shape[-1] % n:
        _wrong("split", f"cannot cut {values.shape[-1]} columns into {n!r} equal parts")
    return [x.derived(part) for part in np.split(values, n, axis=-1)]


def _array(name: str, given: Any) -> RecordedArray:
    if not isinstance(given, RecordedArray):
        _wrong(name, f"takes an array, not {type(given).__name__}")
    return given


def _computed(name: str, compute: Callable[..., Any], *values: Any) -> Any:
    try:
        return compute(*values)
    except ValueError as error:
        _wrong(name, f"of shapes {', '.join(str(np.shape(value)) for value in values)}: {error}")


def _wrong(name: str, what: str) -> NoReturn:
    raise ContractError(f"xp.{name}: {what} ({OPERATIONS[name]})")
