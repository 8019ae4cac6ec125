"""The operations of a cell in NumPy, differentiated by the library `autograd`.

Those whose plain formula overflows, or has a kink in it that the function has not, have their derivative beside
them. At ties `maximum` and `minimum` give each side half of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive

from benchsuite.schema.cells import Operations
from benchsuite_numpy.reference.cells import sigmoid as plain_sigmoid

Array = Any
"""An array, or autograd's box around one."""


def plain_softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    found: np.ndarray = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return found


def plain_relu(x: np.ndarray) -> np.ndarray:
    """max(x, 0); its subgradient at 0 is 0."""
    found: np.ndarray = np.maximum(x, 0)
    return found


sigmoid, softplus, relu = primitive(plain_sigmoid), primitive(plain_softplus), primitive(plain_relu)
defvjp(sigmoid, lambda ans, _x: lambda g: g * ans * (1 - ans))
defvjp(softplus, lambda _ans, x: lambda g: g * sigmoid(x))
defvjp(relu, lambda _ans, x: lambda g: g * (x > 0))


def _split(x: Array, n: int) -> Sequence[Array]:
    size, rest = divmod(x.shape[-1], n)
    if rest:
        raise ValueError(f"split: {x.shape[-1]} columns cannot be cut into {n} equal parts")
    return tuple(x[..., part * size : (part + 1) * size] for part in range(n))


def _where(condition: Array, x: Array, y: Array) -> Array:
    """autograd's `where` takes arrays of one shape only."""
    shape = np.broadcast_shapes(*(np.shape(each) for each in (condition, x, y)))
    dtype = next(each.dtype for each in (x, y) if hasattr(each, "dtype"))
    zeros = np.zeros(shape, dtype)
    return anp.where(condition, x + zeros, y + zeros)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(anp, name)
    for name in (
        "abs",
        "cos",
        "exp",
        "expm1",
        "log",
        "log1p",
        "maximum",
        "minimum",
        "ones_like",
        "sin",
        "sqrt",
        "tanh",
        "zeros_like",
    )
}

REFERENCE_OPERATIONS = Operations(
    "the reference (NumPy and autograd)",
    {
        **_FUNCTIONS,
        "concat": lambda parts: anp.concatenate(tuple(parts), axis=-1),
        "log_sigmoid": lambda x: -softplus(-x),
        "mean": lambda x: anp.mean(x, axis=-1, keepdims=True),
        "relu": relu,
        "sigmoid": sigmoid,
        "softplus": softplus,
        "split": _split,
        "where": _where,
        "sum": lambda x: anp.sum(x, axis=-1, keepdims=True),
    },
)
