"""All parameters as one vector and back: an update, a norm or a copy to a device is then one operation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def flattened(
    parameters: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], dtype: str
) -> np.ndarray:
    """One vector of all entries, (number of parameters,), a copy in `dtype`; name after name in the order of
    `shapes` (schema.parameter_shapes), each row-major."""
    parts = [np.asarray(parameters[name], dtype).reshape(-1) for name in shapes]
    return np.concatenate(parts) if parts else np.zeros(0, dtype)


def unflattened(vector: Any, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The arrays that lie in `vector` one after the other, by name.

    :param vector: of one dimension, of any framework that slices and reshapes as NumPy does. NumPy's arrays are
        views: who changes them changes the vector.
    """
    found: dict[str, Any] = {}
    start = 0
    for name, shape in shapes.items():
        end = start + math.prod(shape)
        found[name] = vector[start:end].reshape(shape)
        start = end
    return found
