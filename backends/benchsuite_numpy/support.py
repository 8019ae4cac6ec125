"""What NumPy and this machine lack."""

from __future__ import annotations

from benchsuite.schema import DeviceName, Execution
from benchsuite_numpy.runtime import gpu_problem


def execution_problem(execution: Execution) -> str | None:
    """Why this machine cannot run `execution` in NumPy, or None."""
    if execution.unroll == "fused":
        return "NumPy has no fused recurrent kernel; use unroll dynamic or static"
    if execution.unroll == "autograd":
        return "NumPy does not differentiate; use unroll dynamic or static"
    device = DeviceName.parse(execution.device)
    if device.kind == "cpu":
        return None
    if device.kind != "gpu":
        return f"NumPy knows the devices cpu, gpu and gpu:1, gpu:2 ..., not {execution.device!r}"
    return gpu_problem(device.number)
