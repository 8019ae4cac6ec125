"""What torch and this machine lack."""

from __future__ import annotations

import torch

from benchsuite.contracts import INGREDIENTS, Supported
from benchsuite.schema import ARCHITECTURES, DeviceName, Execution, ModelSpec, Recipe, Recurrent
from benchsuite_torch import runtime
from benchsuite_torch.compiled import compiler_problem
from benchsuite_torch.kernels import matmul, tanh
from benchsuite_torch.layers import KERNEL_CELLS

OWN_LAYERS = Supported.everything(
    "torch",
    cells=tuple(sorted(KERNEL_CELLS)),
    ingredients=tuple(name for name in INGREDIENTS if name != "recurrent_dropout"),
    resets=False,
    because={
        "cells": "torch.nn has layers and cells of no other",
        "ingredients": "torch's own layers and cells mask no hidden states; or use unroll dynamic or static",
        "resets": "torch's own layers and cells set no state between their steps",
    },
    instead="use unroll dynamic or static",
)
COMPILED = Supported.everything(
    "torch",
    cells=tuple(sorted(KERNEL_CELLS)),
    architectures=tuple(name for name in ARCHITECTURES if name not in ("encoder_decoder", "attention")),
    devices=("cpu",),
    ingredients=OWN_LAYERS.ingredients,
    truncation=False,
    resets=False,
    because={
        "cells": "the steps of three cells are written out for it",
        "architectures": "a decoder's steps are not compiled",
        "devices": "tried on a CPU alone",
        "ingredients": "its steps mask no hidden states; or use unroll dynamic or static",
        "truncation": "a block of steps is differentiated as a whole",
        "resets": "its steps set no state between them",
    },
    instead="use unroll dynamic or static",
)
"""Of torch.compile, see benchsuite_torch.compiled."""
SUPPORTED = Supported.everything(
    "torch", under={"fused": OWN_LAYERS, "autograd": OWN_LAYERS, "compiled": COMPILED}
)


def problem(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why torch cannot run `model` under `execution` on this machine, or None."""
    return (
        SUPPORTED.declines(model, recipe, execution)
        or runtime.device_problem(DeviceName.parse(execution.device))
        or _precision_problem(execution)
        or _kernel_problem(model, execution)
        or (compiler_problem() if execution.unroll == "compiled" else None)
    )


def choices(model: ModelSpec, execution: Execution) -> dict[str, tuple[str, ...]]:
    """Name -> ways, see Backend.choices()."""
    if execution.device != "cpu" or execution.unroll in ("autograd", "compiled"):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    if execution.dtype == "float32" and matmul.has_onednn():
        found["products"] = matmul.PRODUCTS
    if execution.unroll in ("static", "dynamic") and _has_kernel(model):
        found["tanh"] = tanh.WAYS
    return found


def _has_kernel(model: ModelSpec) -> bool:
    return isinstance(model.body, Recurrent) and model.body.cell in KERNEL_CELLS


def _precision_problem(execution: Execution) -> str | None:
    if execution.precision != "tf32":
        return None
    device = runtime.torch_device(execution.device)
    if torch.cuda.get_device_capability(device) < (8, 0):
        return f"precision tf32 needs compute capability 8.0; {torch.cuda.get_device_name(device)} has less"
    return None


def _kernel_problem(model: ModelSpec, execution: Execution) -> str | None:
    if execution.device == "cpu":
        return None
    if execution.unroll == "fused" and not torch.backends.cudnn.is_available():
        return "unroll fused on a GPU needs cuDNN: torch.backends.cudnn.is_available() is False"
    if model.loss == "ctc" and execution.deterministic:
        return "torch's CTC loss has no deterministic backward pass on a GPU; use device cpu"
    return None
