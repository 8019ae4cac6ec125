"""What both programs ask of a model and its parameters before they build anything."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import checks
from benchsuite.contracts.backend import Parameters
from benchsuite.schema import GATES, ModelSpec, Recipe, Recurrent, parameter_shapes


def model_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Why the NumPy programs cannot compute `model` under `recipe`, or None."""
    if isinstance(model.body, Recurrent) and model.body.cell not in GATES:
        return f"cell {model.body.cell!r} has no NumPy kernel; it has {', '.join(GATES)}"
    return checks.model_problem(model, recipe)


def copied_parameters(model: ModelSpec, parameters: Parameters, dtype: str) -> Parameters:
    """Contiguous copies of `parameters` in `dtype` and canonical order.

    Raises ContractError naming every parameter that is missing, unknown or of another shape.
    """
    checks.check_parameters(model, parameters)
    return {name: np.array(parameters[name], dtype=dtype, order="C") for name in parameter_shapes(model)}
