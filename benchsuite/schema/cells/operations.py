"""The operations that a cell may use, besides the operators + - * / @ ** and the comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from benchsuite.errors import ContractError

OPERATIONS: dict[str, str] = {
    "abs": "absolute value",
    "concat": "concat(parts): the arrays joined along the last axis",
    "cos": "cosine",
    "exp": "exponential",
    "expm1": "exp(x) - 1, exact near 0",
    "log": "natural logarithm",
    "log1p": "log(1 + x), exact near 0",
    "log_sigmoid": "log(sigmoid(x)), exact for large negative x",
    "maximum": "maximum(x, y): the larger one of each; y may be a number",
    "mean": "mean over the last axis, which is kept with size 1",
    "minimum": "minimum(x, y): the smaller one of each; y may be a number",
    "ones_like": "ones of the shape of x",
    "relu": "max(x, 0)",
    "sigmoid": "1 / (1 + exp(-x)), without overflow",
    "sin": "sine",
    "softplus": "log(1 + exp(x)), without overflow",
    "split": "split(x, n): n equal parts of the last axis, as a sequence",
    "sqrt": "square root",
    "sum": "sum over the last axis, which is kept with size 1",
    "tanh": "hyperbolic tangent",
    "where": "where(condition, x, y): x where the condition holds, else y; x or y may be a number",
    "zeros_like": "zeros of the shape of x",
}
"""Name -> what it does. Each one is elementwise and takes one array, unless it says otherwise."""


class Operations:
    """What a cell gets as `xp`: the OPERATIONS in one framework. Any other name raises ContractError."""

    def __init__(self, framework: str, functions: Mapping[str, Callable[..., Any]]) -> None:
        """Raises ContractError unless `functions` has each of OPERATIONS and nothing else."""
        missing, unknown = OPERATIONS.keys() - functions.keys(), functions.keys() - OPERATIONS.keys()
        if missing or unknown:
            raise ContractError(
                f"operations of {framework}: missing {sorted(missing) or 'none'}, "
                f"unknown {sorted(unknown) or 'none'}"
            )
        self._framework = framework
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(name)

    def __repr__(self) -> str:
        return f"Operations({self._framework!r})"


def _refuse(name: str) -> NoReturn:
    raise ContractError(
        f"a cell uses the operation {name!r}, which not every backend has; allowed are the operators "
        f"+ - * / @ ** < <= > >= and xp.{', xp.'.join(OPERATIONS)}"
    )
