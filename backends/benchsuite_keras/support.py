"""What Keras and this machine lack, and the most that is unrolled into one graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchsuite.contracts import Batch, Supported
from benchsuite.errors import UnsupportedError
from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe, Recurrent, is_scheduled

if TYPE_CHECKING:
    from benchsuite_keras.runtime import Framework

BECAUSE = {
    "cells": "Keras has layers of no other",
    "heads": "Keras has no such layer",
    "optimisers": "Keras' RMSprop adds epsilon inside the root, which is another formula",
    "ingredients": "Keras draws its own masks of dropout, and ours are data",
    "truncation": "Keras' layers differentiate whole sequences",
    "carry": "train_on_batch returns no states; a stateful layer keeps one stream of its own",
    "resets": "Keras' layers set no state between their steps",
}

UNROLLED_BACKWARDS = {
    "torch": "Keras' unrolled loop fails on a mask that is read backwards",
    "tensorflow": "Keras' unrolled loop zeroes a backward layer by the mask read forwards: other numbers",
}
"""What keeps a bidirectional layer from unroll=True, by framework (Keras 3.15)."""


def supported(framework: str) -> Supported:
    """What the layers, losses and optimisers of Keras compute at equal mathematics on `framework`."""
    losses = ["cross_entropy", "squared", "binary_cross_entropy"]
    because = dict(BECAUSE)
    precisions = ["float32", "float64"]
    if framework != "tensorflow":
        precisions.remove("float64")
        because["precisions"] = "Keras multiplies float64 in float32 on every framework but TensorFlow"
    if framework == "jax":
        because["losses"] = "on JAX the slope of Keras' mean absolute error at 0 is 1"
    else:
        losses.append("absolute")
    plain = Supported(
        backend=f"keras_{framework}",
        cells=("rnn", "lstm", "gru"),
        architectures=("plain", "deep", "bidirectional", "deep_bidirectional"),
        heads=("dense",),
        losses=tuple(losses),
        readouts=("last", "mean", "steps"),
        optimisers=("sgd", "momentum", "adam"),
        clips=("none", "norm", "value"),
        ingredients=("weight_decay", "schedule", "warmup", "label_smoothing"),
        unrolls=("static", "dynamic", "fused"),
        precisions=tuple(precisions),
        devices=("cpu", "gpu"),
        because=because | {"unrolls": "Keras' layers have use_cudnn and unroll, and no other way"},
    )
    fused = replace(
        plain,
        cells=("lstm",) if framework == "jax" else ("lstm", "gru"),
        devices=("gpu",),
        because=because
        | {
            "cells": "use_cudnn has no kernel for another on this framework",
            "devices": "use_cudnn needs a GPU",
        },
        instead="use unroll dynamic or static",
    )
    under = {"fused": fused}
    if framework in UNROLLED_BACKWARDS:
        under["static"] = replace(
            plain,
            architectures=("plain", "deep"),
            because=because | {"architectures": UNROLLED_BACKWARDS[framework]},
            instead="use unroll dynamic",
        )
    return replace(plain, under=under)


SUPPORTED = {framework: supported(framework) for framework in ("tensorflow", "jax", "torch")}


def unsupported_reason(
    framework: Framework, model: ModelSpec, recipe: Recipe, execution: Execution
) -> str | None:
    """Why Keras cannot run the model so on this machine, or None."""
    return (
        SUPPORTED[framework.NAME].declines(model, recipe, execution)
        or _momentum_problem(framework, recipe)
        or framework.device_problem(execution)
    )


def _momentum_problem(framework: Framework, recipe: Recipe) -> str | None:
    """Keras' momentum scales by the learning rate before it averages: the same only while the rate is."""
    if recipe.optimiser != "momentum" or not is_scheduled(recipe):
        return None
    return (
        f"the keras_{framework.NAME} backend has no momentum under a learning rate that changes (Keras' SGD "
        "scales the gradient before it averages, which is another formula); use optimiser sgd or adam, or "
        "schedule constant"
    )


def check_batch(framework: Framework, model: ModelSpec, batch: Batch, execution: Execution) -> None:
    """Raises UnsupportedError for a batch that cannot be run under the execution's unroll."""
    assert isinstance(model.body, Recurrent)
    cells = batch.time * model.body.layers * len(model.body.directions)
    most = framework.MOST_UNROLLED
    if execution.unroll == "static" and most is not None and cells > most:
        raise UnsupportedError(
            f"unroll static would put {cells} cell steps (time x layers x directions) into one graph; the most "
            f"is {most} on {framework.NAME}, since each is compiled. Use unroll dynamic, or shorter sequences"
        )
    if (
        execution.unroll == "fused"
        and framework.NAME != "tensorflow"
        and int(batch.lengths.min()) < batch.time
    ):
        raise UnsupportedError(
            f"Keras' use_cudnn takes no mask on {framework.NAME}, and this batch has rows of different "
            "lengths; use unroll dynamic"
        )


def on_gpu(execution: Execution) -> bool:
    """Whether the device of `execution` is a GPU."""
    return DeviceName.parse(execution.device).kind == "gpu"
