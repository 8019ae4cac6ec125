"""What both programs ask of a model and its parameters before they build anything."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.spec import GATES, Convolutional, ModelSpec, Tokens, parameter_shapes


def model_problem(model: ModelSpec) -> str | None:
    """Why the NumPy programs cannot compute `model`, or None."""
    if isinstance(model.body, Convolutional):
        if isinstance(model.input, Tokens):
            return "the convolutional baseline reads pictures of real numbers, not tokens"
        if model.readout == "steps":
            return "the convolutional baseline has one output a picture; use readout 'last', not 'steps'"
    elif model.body.cell not in GATES:
        return f"cell {model.body.cell!r} has no NumPy kernel; it has {', '.join(GATES)}"
    return None


def copied_parameters(model: ModelSpec, parameters: Parameters, dtype: str) -> Parameters:
    """Contiguous copies of `parameters` in `dtype` and canonical order.

    Raises ContractError naming every parameter that is missing, unknown or of another shape.
    """
    shapes = parameter_shapes(model)
    problems = [f"{name} is missing" for name in shapes if name not in parameters]
    problems += [f"{name} is unknown" for name in parameters if name not in shapes]
    problems += [
        f"{name} is {parameters[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if name in parameters and parameters[name].shape != shape
    ]
    if problems:
        raise ContractError(f"parameters do not fit the model: {'; '.join(problems)}")
    return {name: np.array(parameters[name], dtype=dtype, order="C") for name in shapes}
