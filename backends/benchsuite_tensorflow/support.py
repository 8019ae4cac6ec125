"""What TensorFlow and this machine lack, and the most that is traced at once."""

from __future__ import annotations

import tensorflow as tf

from benchsuite.contracts import Batch
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Convolutional, DeviceName, Execution, ModelSpec, Recipe, cell_named
from benchsuite.schema.cells import AffineCell
from benchsuite_tensorflow.cells import has_kernel

UNROLLS = ("static", "dynamic", "fused", "scan")
MOST_UNROLLED = 200
"""Steps of a static graph, over all layers and directions, a decoder's and CTC's together. Tracing and
optimising the graph takes 20 to 50 ms per step, and more than in proportion beyond."""
LEAST_TF32 = (8, 0)
"""Compute capability from which GPUs have TF32."""


def unsupported_reason(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why TensorFlow cannot run the model so on this machine, or None."""
    if execution.unroll not in UNROLLS:
        return f"the tensorflow backend has no unroll {execution.unroll!r}; use unroll dynamic"
    if problem := execution_problem(execution):
        return problem
    if execution.unroll not in ("fused", "scan") or isinstance(model.body, Convolutional):
        return None
    if recipe.recurrent_dropout:
        return "cuDNN masks no hidden states: recipe.recurrent_dropout needs unroll dynamic or static"
    cells = [model.body.cell, *([] if model.decoder is None else [model.decoder.body.cell])]
    if execution.unroll == "scan":
        return next(filter(None, map(_scan_problem, cells)), None)
    if model.resets:
        return (
            "cuDNN takes a whole sequence and sets no state between its steps, so resets need unroll dynamic "
            "or static"
        )
    return next(filter(None, (_fused_problem(cell, recipe, execution) for cell in cells)), None)


def execution_problem(execution: Execution) -> str | None:
    """Why TensorFlow cannot use the device of `execution` in its precision, or None."""
    device = DeviceName.parse(execution.device)
    if device.kind == "cpu":
        return None
    if device.kind != "gpu":
        return f"TensorFlow knows the devices cpu, gpu and gpu:1, gpu:2 ..., not {execution.device!r}"
    count = len(tf.config.list_logical_devices("GPU"))
    if count == 0:
        if not tf.test.is_built_with_cuda():
            return "this TensorFlow is built without CUDA; install benchsuite's tensorflow extra for CUDA"
        return "TensorFlow sees no GPU on this machine"
    if device.number >= count:
        return f"no device {execution.device!r} here: TensorFlow sees {count} GPU{'s' if count > 1 else ''}"
    if execution.precision == "tf32":
        gpu = tf.config.list_physical_devices("GPU")[device.number]
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        if tuple(capability) < LEAST_TF32:
            return f"precision tf32 needs compute capability 8.0; {execution.device} has {capability}"
    return None


def _scan_problem(cell: str) -> str | None:
    if isinstance(cell_named(cell), AffineCell):
        return None
    return f"cell {cell!r} has no affine step, so unroll scan cannot run it; use static or dynamic"


def _fused_problem(cell: str, recipe: Recipe, execution: Execution) -> str | None:
    if not has_kernel(cell):
        return f"cell {cell!r} has no fused kernel in tensorflow; use unroll dynamic or static"
    if DeviceName.parse(execution.device).kind == "cpu":
        return (
            "TensorFlow's fused recurrent kernels are cuDNN's and need a GPU; on the CPU use unroll dynamic "
            "or static"
        )
    if cell == "rnn":
        return "Keras' SimpleRNN has no cuDNN path; use unroll dynamic or static"
    if recipe.truncation or recipe.carry:
        return (
            "cuDNN takes a whole sequence and gives no states between its steps, so truncation and carried "
            "states need unroll dynamic or static"
        )
    return None


def check_static(model: ModelSpec, batch: Batch) -> None:
    """Raises UnsupportedError where a static graph of the batch's steps would be too large."""
    if isinstance(model.body, Convolutional):
        return
    copies = model.body.layers * len(model.body.directions)
    sizes, steps = f"{batch.time} steps x {copies} layers and directions", batch.time * copies
    if model.decoder is not None:
        tokens, layers = batch.targets.shape[1], model.decoder.body.layers
        sizes, steps = f"{sizes}, and {tokens} x {layers} of the decoder", steps + tokens * layers
    if model.loss == "ctc":
        sizes, steps = f"{sizes}, and {batch.time} of CTC", steps + batch.time
    if steps > MOST_UNROLLED:
        raise UnsupportedError(
            f"unroll static would trace {sizes}; the most is {MOST_UNROLLED} steps in one TensorFlow graph, "
            "because tracing more takes minutes. Use unroll dynamic, or shorter sequences"
        )
