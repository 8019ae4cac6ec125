"""What NumPy and this machine lack."""

from __future__ import annotations

from benchsuite.contracts import INGREDIENTS, Supported
from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe, Recurrent
from benchsuite_numpy.cells import KERNELS
from benchsuite_numpy.runtime import gpu_problem

SUPPORTED = Supported.everything(
    "numpy",
    unrolls=("static", "dynamic", "scan"),
    because={"unrolls": "NumPy has no fused recurrent kernel and does not differentiate"},
    under={
        "gpu": Supported.everything(
            "numpy",
            cells=tuple(KERNELS),
            ingredients=tuple(name for name in INGREDIENTS if name != "recurrent_dropout"),
            resets=False,
            because={
                "cells": "only cells with a kernel run through CuPy",
                "ingredients": "masked hidden states have no kernel for CuPy; or run on cpu",
                "resets": "resets have no kernel for CuPy",
            },
            instead="run on cpu, or in another backend",
        )
    },
)


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


def unsupported_reason(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why this backend cannot run the model so on this machine, or None."""
    problem = SUPPORTED.declines(model, recipe, execution)
    device = DeviceName.parse(execution.device)
    return problem or (None if device.kind == "cpu" else gpu_problem(device.number))
