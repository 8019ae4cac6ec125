"""What TensorFlow and this machine lack, and the most that is traced at once."""

from __future__ import annotations

import tensorflow as tf

from benchsuite.contracts import INGREDIENTS, Batch, Supported, absent_device
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Convolutional, DeviceName, Execution, ModelSpec, Recipe

_LOOPS = tuple(name for name in INGREDIENTS if name != "recurrent_dropout")
SUPPORTED = Supported.everything(
    "tensorflow",
    unrolls=("static", "dynamic", "fused", "scan"),
    because={"unrolls": "Keras' own cells run in its fused layers or not at all"},
    under={
        "scan": Supported.everything("tensorflow", ingredients=_LOOPS),
        "fused": Supported.everything(
            "tensorflow",
            cells=("lstm", "gru"),
            devices=("gpu",),
            ingredients=_LOOPS,
            truncation=False,
            carry=False,
            resets=False,
            because={
                "cells": "TensorFlow's fused recurrent kernels are cuDNN's, and Keras' SimpleRNN has none",
                "devices": "TensorFlow's fused recurrent kernels are cuDNN's and need a GPU",
                "ingredients": "cuDNN masks no hidden states; or use unroll dynamic or static",
                "truncation": "cuDNN takes a whole sequence and gives no states between its steps",
                "carry": "cuDNN takes a whole sequence and gives no states between its steps",
                "resets": "cuDNN takes a whole sequence and sets no state between its steps",
            },
            instead="use unroll dynamic or static",
        ),
    },
)
MOST_UNROLLED = 200
"""Steps of a static graph, over all layers and directions, a decoder's and CTC's together. Tracing and
optimising the graph takes 20 to 50 ms per step, and more than in proportion beyond."""
LEAST_TF32 = (8, 0)
"""Compute capability from which GPUs have TF32."""


def unsupported_reason(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why TensorFlow cannot run the model so on this machine, or None."""
    return SUPPORTED.declines(model, recipe, execution) or execution_problem(execution)


def execution_problem(execution: Execution) -> str | None:
    """Why TensorFlow cannot use the device of `execution` in its precision, or None."""
    if execution.device == "cpu":
        return None
    count = len(tf.config.list_logical_devices("GPU"))
    if not count and not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA; install benchsuite's tensorflow extra for CUDA"
    device = DeviceName.parse(execution.device)
    if problem := absent_device("TensorFlow", device, count):
        return problem
    if execution.precision == "tf32":
        gpu = tf.config.list_physical_devices("GPU")[device.number]
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        if tuple(capability) < LEAST_TF32:
            return f"precision tf32 needs compute capability 8.0; {execution.device} has {capability}"
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
