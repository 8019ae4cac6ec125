"""What jax and this machine lack, and the most that is compiled at once."""

from __future__ import annotations

import jax

from benchsuite.contracts import INGREDIENTS, Batch, Supported, absent_device
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Convolutional, DeviceName, Execution, ModelSpec, Recipe
from benchsuite_jax.runtime import platform_devices

FUSED = Supported.everything(
    "jax",
    cells=("lstm",),
    devices=("gpu",),
    precisions=("float32", "tf32"),
    ingredients=tuple(name for name in INGREDIENTS if name != "recurrent_dropout"),
    truncation=False,
    resets=False,
    because={
        "cells": "jax's only fused recurrent kernel is cuDNN's LSTM",
        "devices": "jax's only fused recurrent kernel is cuDNN's LSTM",
        "precisions": "jax's cuDNN LSTM is float32 only",
        "ingredients": "cuDNN masks no hidden states; or use unroll dynamic",
        "truncation": "cuDNN differentiates the whole sequence",
        "resets": "cuDNN starts a row once",
    },
    instead="use unroll dynamic",
)
SUPPORTED = Supported.everything(
    "jax",
    unrolls=("static", "dynamic", "fused", "scan"),
    under={"fused": FUSED},
    because={"unrolls": "jax has no cells of its own"},
)
STATIC_CELLS = 64
"""Most cell steps (time x layers x directions, of encoder and decoder) that `static` puts into one graph.
Each is compiled on its own, at about a third of a second of CPU time for an LSTM's training step, for every
function and shape."""


def unsupported_reason(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why jax cannot run the model so on this machine, or None."""
    return SUPPORTED.declines(model, recipe, execution) or device_problem(execution)


def device_problem(execution: Execution) -> str | None:
    """Why the device of `execution` is not here, or None."""
    if execution.device == "cpu":
        return None
    return absent_device("jax", DeviceName.parse(execution.device), len(platform_devices("gpu")))


def precision_problem(execution: Execution) -> str | None:
    """Why this process cannot compute in the precision of `execution`, or None."""
    if execution.precision == "float64" and not jax.config.jax_enable_x64:
        return (
            "float64 needs JAX_ENABLE_X64=1 in the environment before jax is imported: without it jax turns "
            "float64 arrays into float32 silently. A worker started for the trial has it set"
        )
    return None


def check_static(model: ModelSpec, batch: Batch) -> None:
    """Raises UnsupportedError for a batch of more steps than a static graph may have."""
    if isinstance(model.body, Convolutional):
        return
    layers = model.body.layers * len(model.body.directions)
    cells, sizes = batch.time * layers, f"{batch.time} steps x {layers} layers and directions"
    if model.decoder is not None:
        steps, decoder_layers = batch.targets.shape[1], model.decoder.body.layers
        cells += steps * decoder_layers
        sizes += f" + {steps} steps x {decoder_layers} layers of the decoder"
    if cells > STATIC_CELLS:
        raise UnsupportedError(
            f"unroll static would put {sizes} = {cells} cells into one XLA graph; the most is "
            f"{STATIC_CELLS}, since each one is compiled. Use unroll dynamic, or shorter sequences"
        )
