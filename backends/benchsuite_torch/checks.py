"""What this backend asks of a trial, a model and its parameters before anything is built."""

from __future__ import annotations

import torch

from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.spec import GATES, Convolutional, Execution, ModelSpec, Recipe, Tokens, parameter_shapes
from benchsuite_torch import runtime

BIDIRECTIONAL_CARRY = (
    "recipe.carry needs a forward stack: a backward layer starts at the end of each batch, so no state can "
    "be carried into it; use architecture plain or deep"
)


def execution_problem(execution: Execution) -> str | None:
    """Why torch cannot run under `execution` on this machine, or None."""
    problem = runtime.device_problem(execution.device)
    if problem:
        return problem
    if execution.device == "cpu":
        if execution.precision == "tf32":
            return "precision tf32 is a mode of NVIDIA's tensor cores; on the CPU use float32 or float64"
        return None
    device = runtime.torch_device(execution.device)
    if execution.precision == "tf32" and torch.cuda.get_device_capability(device) < (8, 0):
        return f"precision tf32 needs compute capability 8.0; {torch.cuda.get_device_name(device)} has less"
    if execution.unroll == "fused" and not torch.backends.cudnn.is_available():
        return "unroll fused on a GPU needs cuDNN: torch.backends.cudnn.is_available() is False"
    return None


def cell_problem(cell: str) -> str | None:
    """Why torch has no recurrent layer called `cell`, or None."""
    return None if cell in GATES else f"torch backend has no cell {cell!r}; it has {', '.join(GATES)}"


def model_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Why this backend cannot compute `model` under `recipe`, or None."""
    if isinstance(model.body, Convolutional):
        if isinstance(model.input, Tokens):
            return "the convolutional baseline reads pictures of real numbers, not tokens"
        if model.readout == "steps":
            return "the convolutional baseline has one output a picture; use readout 'last', not 'steps'"
        return (
            "recipe.carry needs recurrent states; the convolutional baseline has none"
            if recipe.carry
            else None
        )
    if model.body.bidirectional and recipe.carry:
        return BIDIRECTIONAL_CARRY
    return cell_problem(model.body.cell)


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
