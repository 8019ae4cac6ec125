"""The operations of a cell in this backend: they record what a cell's code computes (kernels.graph)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchsuite.errors import ContractError
from benchsuite.schema.cells import Operations
from benchsuite_numpy.kernels.graph import Traced

ELEMENTWISE = (
    "abs",
    "cos",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log_sigmoid",
    "ones_like",
    "relu",
    "sigmoid",
    "sin",
    "softplus",
    "sqrt",
    "tanh",
    "zeros_like",
)
"""Operations of one array, whose result has its shape."""


def _elementwise(name: str) -> Callable[[Any], Any]:
    return lambda x: _traced(name, x).graph.apply(name, x)


def _reduction(name: str) -> Callable[[Any], Any]:
    def reduced(x: Any) -> Any:
        shape = _traced(name, x).value.shape
        return x.graph.apply(name, x, shape=(*shape[:-1], 1))

    return reduced


def _pair(name: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: _traced(name, x, y).graph.apply(name, x, y)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if not _traced("where", condition).value.boolean:
        raise ContractError("xp.where: the condition must be a comparison's result")
    return condition.graph.apply("where", condition, x, y)


def _concat(parts: Sequence[Any]) -> Any:
    found = [_traced("concat", part) for part in parts]
    leads = {part.value.shape[:-1] for part in found}
    if len(leads) != 1:
        raise ContractError("xp.concat: the arrays must be equal but for their last axes")
    columns = sum(part.value.columns for part in found)
    return found[0].graph.apply("concat", *found, shape=(*leads.pop(), columns))


def _split(x: Any, n: int) -> Any:
    shape = _traced("split", x).value.shape
    if not isinstance(n, int) or n < 1 or shape[-1] % n:
        raise ContractError(f"xp.split: {shape[-1]} columns cannot be cut into {n!r} equal parts")
    return x.graph.apply("split", x, shape=(*shape[:-1], shape[-1] // n), parts=n)


def _traced(name: str, *given: Any) -> Traced:
    """The first array among `given`."""
    for each in given:
        if isinstance(each, Traced):
            return each
    raise ContractError(f"xp.{name} was given {type(given[0]).__name__}, must be an array")


NUMPY_OPERATIONS = Operations(
    "NumPy",
    {
        **{name: _elementwise(name) for name in ELEMENTWISE},
        **{name: _reduction(name) for name in ("mean", "sum")},
        **{name: _pair(name) for name in ("maximum", "minimum")},
        "concat": _concat,
        "split": _split,
        "where": _where,
    },
)
