"""What NumPy and this machine lack."""

from __future__ import annotations

from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe, Recurrent
from benchsuite_numpy.cells import KERNELS
from benchsuite_numpy.runtime import gpu_problem


def has_kernel(model: ModelSpec, body: Recurrent, masked: bool) -> bool:
    """Whether a stack of `model` runs by the kernel of its cell; if not, by the cell's generic form. `masked`:
    whether the hidden state is (recurrent dropout)."""
    return body.cell in KERNELS and not model.resets and not masked


def generic_bodies(model: ModelSpec, masked: bool) -> list[Recurrent]:
    """The stacks of a model that run by the generic form of their cell."""
    bodies = [model.body] if isinstance(model.body, Recurrent) else []
    if model.decoder is not None:
        bodies.append(model.decoder.body)
    return [body for body in bodies if not has_kernel(model, body, masked)]


def model_problem(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why this backend cannot run `model` on the device of `execution`, or None."""
    generic = generic_bodies(model, recipe.recurrent_dropout > 0)
    if generic and DeviceName.parse(execution.device).kind == "gpu":
        if recipe.recurrent_dropout:
            return "recurrent dropout has no kernel for CuPy here; run it on the CPU, or in another backend"
        return (
            f"cell {generic[0].cell!r} has no kernel for CuPy here; run it on the CPU, or in another backend"
        )
    return None


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
