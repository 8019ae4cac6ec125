"""The operations that a plugin's cell may use, in torch.

array_api_compat gives those that the array API standard has with the same meaning; they are torch's own
functions, without a layer in between. The rest is below. Where two functions meet (maximum, minimum) each gets
half of the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from array_api_compat import torch as standard
from torch.nn import functional

from benchsuite.schema.cells import Operations


def _concat(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat(tuple(parts), -1)


def _maximum(x: torch.Tensor, y: torch.Tensor | float) -> torch.Tensor:
    return torch.maximum(x, _tensor(y, x))


def _mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean(-1, keepdim=True)


def _minimum(x: torch.Tensor, y: torch.Tensor | float) -> torch.Tensor:
    return torch.minimum(x, _tensor(y, x))


def _softplus(x: torch.Tensor) -> torch.Tensor:
    """torch's own softplus is x itself above a threshold: not exact in float64."""
    return -functional.logsigmoid(-x)


def _split(x: torch.Tensor, count: int) -> tuple[torch.Tensor, ...]:
    width = x.shape[-1]
    if width % count:
        raise ValueError(f"split of {width} numbers into {count} equal parts")
    parts: tuple[torch.Tensor, ...] = x.chunk(count, -1)  # not split(), which goes through Python
    return parts


def _sum(x: torch.Tensor) -> torch.Tensor:
    return x.sum(-1, keepdim=True)


def _tensor(y: torch.Tensor | float, like: torch.Tensor) -> torch.Tensor:
    return y if isinstance(y, torch.Tensor) else like.new_full((), y)


TORCH_OPERATIONS = Operations(
    "torch",
    {
        "abs": standard.abs,
        "concat": _concat,
        "cos": standard.cos,
        "exp": standard.exp,
        "expm1": standard.expm1,
        "log": standard.log,
        "log1p": standard.log1p,
        "log_sigmoid": functional.logsigmoid,
        "maximum": _maximum,
        "mean": _mean,
        "minimum": _minimum,
        "ones_like": torch.ones_like,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "sin": standard.sin,
        "softplus": _softplus,
        "split": _split,
        "sqrt": standard.sqrt,
        "sum": _sum,
        "tanh": standard.tanh,
        "where": torch.where,
        "zeros_like": torch.zeros_like,
    },
)
"""What a cell gets as `xp`."""
