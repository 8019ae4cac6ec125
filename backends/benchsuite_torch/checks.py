"""What this backend asks of an execution and a cell before anything is built."""

from __future__ import annotations

import torch

from benchsuite.schema import GATES, Execution, ModelSpec
from benchsuite_torch import runtime


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


def determinism_problem(model: ModelSpec, execution: Execution) -> str | None:
    """Why `model` cannot be trained reproducibly under `execution`, or None where it can or need not."""
    if model.loss == "ctc" and execution.deterministic and execution.device != "cpu":
        return "torch's CTC loss has no deterministic backward pass on a GPU; use device cpu"
    return None
