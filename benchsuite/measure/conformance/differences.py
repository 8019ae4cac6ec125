"""Where two arrays differ, in words: the place, and both values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Gradients


def largest_difference(found: np.ndarray, expected: np.ndarray, axes: Sequence[str] = ()) -> str:
    """`at [2, 0] 0.12 found, 0.34 expected`, at the entry that differs most; one that is no number comes first.

    :param axes: what the axes are called, as in ("row", "step", "unit"): `at row 2, step 0, unit 1 ...`.

    Arrays of different shapes are described by their shapes.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        return f"shape {found.shape} found, {expected.shape} expected"
    if not found.size:
        return "both are empty"
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    index = np.unravel_index(int(np.argmax(np.nan_to_num(difference, nan=np.inf))), found.shape)
    return f"{_place(index, axes)}{_number(found[index])} found, {_number(expected[index])} expected"


SINGLE_PRECISION_ERRORS = (1e-10, 1e-5)
"""Relative errors that numbers of single precision have after a short computation."""


def rounding_hint(precision: str, error: float) -> str:
    """Where an error in double precision is as large as single precision's rounding, a question about it; else
    an empty text."""
    least, most = SINGLE_PRECISION_ERRORS
    if precision == "float64" and least < error < most:
        return "; an error of this size is that of single precision: is a part of it computed in float32?"
    return ""


def _place(index: Sequence[np.intp], axes: Sequence[str]) -> str:
    if not index:
        return ""
    if len(axes) == len(index):
        return f"at {', '.join(f'{axis} {number}' for axis, number in zip(axes, index, strict=True))} "
    return f"at [{', '.join(map(str, index))}] "


def _number(value: np.generic) -> str:
    """Enough digits to see a difference in single precision; a difference below that is in the error."""
    return f"{float(value):.9g}" if value.dtype.kind == "f" else str(value)


ROWS_STEPS_UNITS = ("row", "step", "unit")
ROWS_STEPS_OUTPUTS = ("row", "step", "output")


def quantities(found: Gradients) -> dict[str, np.ndarray]:
    """The arrays of a backward pass by the names that parity.Comparison has for them."""
    arrays = {"loss": np.asarray(found.loss), "predictions": found.predictions}
    arrays |= {f"gradient/{name}": values for name, values in found.parameters.items()}
    return arrays | {f"state/{name}": values for name, values in found.states.items()}


def where_quantity_differs(name: str, found: Gradients, expected: Gradients) -> str:
    """largest_difference() of one quantity of two backward passes."""
    a, b = quantities(found)[name], quantities(expected)[name]
    axes: Sequence[str] = ()
    if name.startswith("state/"):
        axes = ROWS_STEPS_UNITS
    elif name == "predictions":
        axes = ROWS_STEPS_OUTPUTS if np.ndim(a) == 3 else ("row", "output")
    return largest_difference(a, b, axes)
