"""What torch and this machine lack."""

from __future__ import annotations

import torch

from benchsuite.schema import GATES, DeviceName, Execution, ModelSpec, Recurrent
from benchsuite_torch import runtime


def problem(model: ModelSpec, execution: Execution) -> str | None:
    """Why torch cannot run `model` under `execution` on this machine, or None."""
    return (
        runtime.device_problem(DeviceName.parse(execution.device))
        or _precision_problem(execution)
        or _cell_problem(model)
        or _kernel_problem(model, execution)
    )


def _precision_problem(execution: Execution) -> str | None:
    if execution.precision != "tf32":
        return None
    device = runtime.torch_device(execution.device)
    if torch.cuda.get_device_capability(device) < (8, 0):
        return f"precision tf32 needs compute capability 8.0; {torch.cuda.get_device_name(device)} has less"
    return None


def _cell_problem(model: ModelSpec) -> str | None:
    if isinstance(model.body, Recurrent) and model.body.cell not in GATES:
        return f"torch backend has no cell {model.body.cell!r}; it has {', '.join(GATES)}"
    return None


def _kernel_problem(model: ModelSpec, execution: Execution) -> str | None:
    if execution.device == "cpu":
        return None
    if execution.unroll == "fused" and not torch.backends.cudnn.is_available():
        return "unroll fused on a GPU needs cuDNN: torch.backends.cudnn.is_available() is False"
    if model.loss == "ctc" and execution.deterministic:
        return "torch's CTC loss has no deterministic backward pass on a GPU; use device cpu"
    return None
