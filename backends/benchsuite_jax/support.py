"""What jax and this machine lack, and the most that is compiled at once."""

from __future__ import annotations

import jax

from benchsuite.contracts import Batch
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Convolutional, DeviceName, Execution, ModelSpec, Recipe, Recurrent
from benchsuite_jax.cells import KERNELS
from benchsuite_jax.runtime import platform_devices

UNROLLS = ("static", "dynamic", "fused", "scan")
STATIC_CELLS = 64
"""Most cell steps (time x layers x directions, of encoder and decoder) that `static` puts into one graph.
Each is compiled on its own, at about a third of a second of CPU time for an LSTM's training step, for every
function and shape."""


def unsupported_reason(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why jax cannot run the model so on this machine, or None."""
    if execution.unroll not in UNROLLS:
        return f"the jax backend has no unroll {execution.unroll!r}; use unroll dynamic"
    if problem := device_problem(execution):
        return problem
    if execution.unroll != "fused" or isinstance(model.body, Convolutional):
        return None
    if recipe.recurrent_dropout:
        return "cuDNN masks no hidden states: recipe.recurrent_dropout needs unroll dynamic or static"
    if model.resets:
        return "cuDNN starts a row once: resets need unroll static or dynamic"
    bodies = [model.body] if model.decoder is None else [model.body, model.decoder.body]
    return next(filter(None, (_fused_problem(body, recipe, execution) for body in bodies)), None)


def device_problem(execution: Execution) -> str | None:
    """Why the device of `execution` cannot be used here, or None."""
    device = DeviceName.parse(execution.device)
    if device.kind == "cpu":
        return None
    if device.kind != "gpu":
        return f"jax knows the devices cpu, gpu and gpu:1, gpu:2 ..., not {execution.device!r}"
    gpus = len(platform_devices("gpu"))
    if device.number < gpus:
        return None
    return f"no device {execution.device!r} here: jax sees {gpus or 'no'} GPU{'s' if gpus > 1 else ''}"


def precision_problem(execution: Execution) -> str | None:
    """Why this process cannot compute in the precision of `execution`, or None."""
    if execution.precision == "float64" and not jax.config.jax_enable_x64:
        return (
            "float64 needs JAX_ENABLE_X64=1 in the environment before jax is imported: without it jax turns "
            "float64 arrays into float32 silently. A worker started for the trial has it set"
        )
    return None


def _fused_problem(body: Recurrent, recipe: Recipe, execution: Execution) -> str | None:
    if body.cell not in KERNELS:
        return f"cell {body.cell!r} has no fused kernel in jax; use dynamic or static"
    if body.cell != "lstm":
        return (
            f"jax's only fused recurrent kernel is cuDNN's LSTM; {body.cell!r} has none: use unroll dynamic"
        )
    if DeviceName.parse(execution.device).kind == "cpu":
        return "jax's only fused recurrent kernel is cuDNN's LSTM, which needs a GPU; use unroll dynamic"
    if execution.precision == "float64":
        return "jax's cuDNN LSTM is float32 only; use unroll dynamic"
    if recipe.truncation is not None:
        return "cuDNN differentiates the whole sequence: truncated BPTT needs unroll static or dynamic"
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
