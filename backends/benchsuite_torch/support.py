"""What torch and this machine lack."""

from __future__ import annotations

import torch

from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe, Recurrent
from benchsuite_torch import runtime
from benchsuite_torch.layers import KERNEL_CELLS

OTHERWISE = "use dynamic or static"


def problem(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why torch cannot run `model` under `execution` on this machine, or None."""
    return (
        runtime.device_problem(DeviceName.parse(execution.device))
        or _precision_problem(execution)
        or _cell_problem(model, recipe, execution)
        or _kernel_problem(model, execution)
    )


def _precision_problem(execution: Execution) -> str | None:
    if execution.precision != "tf32":
        return None
    device = runtime.torch_device(execution.device)
    if torch.cuda.get_device_capability(device) < (8, 0):
        return f"precision tf32 needs compute capability 8.0; {torch.cuda.get_device_name(device)} has less"
    return None


def _cell_problem(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """What torch's own layers and cells cannot run."""
    unroll = execution.unroll
    if unroll not in ("fused", "autograd") or not isinstance(model.body, Recurrent):
        return None
    if model.resets:
        return f"torch's own layers and cells have no resets, so unroll {unroll} has none; {OTHERWISE}"
    if recipe.recurrent_dropout:
        return f"torch's own layers and cells have no recurrent dropout; {OTHERWISE}"
    bodies = [model.body] if model.decoder is None else [model.body, model.decoder.body]
    for body in bodies:
        if body.cell not in KERNEL_CELLS:
            lacking = "fused kernel" if unroll == "fused" else "cell of torch.nn"
            return f"cell {body.cell!r} has no {lacking} in torch; {OTHERWISE}"
    return None


def _kernel_problem(model: ModelSpec, execution: Execution) -> str | None:
    if execution.device == "cpu":
        return None
    if execution.unroll == "fused" and not torch.backends.cudnn.is_available():
        return "unroll fused on a GPU needs cuDNN: torch.backends.cudnn.is_available() is False"
    if model.loss == "ctc" and execution.deterministic:
        return "torch's CTC loss has no deterministic backward pass on a GPU; use device cpu"
    return None
