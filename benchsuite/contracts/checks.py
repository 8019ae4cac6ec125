"""What every backend refuses, said once: models that mean nothing, and parameters that do not fit."""

from __future__ import annotations

from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.spec import Convolutional, ModelSpec, Recipe, Tokens, parameter_shapes

BIDIRECTIONAL_CARRY = (
    "recipe.carry needs a forward stack: a backward layer starts at the end of each batch, so no state can "
    "be carried into it; use architecture plain or deep"
)


def model_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Why no backend could compute `model` under `recipe`, or None."""
    body = model.body
    if not isinstance(body, Convolutional):
        return BIDIRECTIONAL_CARRY if body.bidirectional and recipe.carry else None
    if isinstance(model.input, Tokens):
        return "the convolutional baseline reads pictures of real numbers, not tokens"
    if model.readout == "steps":
        return "the convolutional baseline has one output a picture; use readout 'last', not 'steps'"
    if recipe.carry:
        return "recipe.carry needs recurrent states; the convolutional baseline has none"
    return None


def check_parameters(model: ModelSpec, parameters: Parameters) -> None:
    """Raises ContractError naming every parameter that is missing, unknown or of another shape."""
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
