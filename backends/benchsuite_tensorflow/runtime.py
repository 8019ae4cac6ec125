"""TensorFlow's process-wide settings and its devices."""

from __future__ import annotations

import os
import re

import tensorflow as tf
from tensorflow.python.framework import ops

from benchsuite.schema import Execution


def configure() -> None:
    """Thread pools from the environment, GPU memory taken as it is needed. Before any operation only."""
    intra = os.environ.get("TF_NUM_INTRAOP_THREADS")
    inter = os.environ.get("TF_NUM_INTEROP_THREADS")
    if intra:
        tf.config.threading.set_intra_op_parallelism_threads(int(intra))
    if inter:
        tf.config.threading.set_inter_op_parallelism_threads(int(inter))
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.get_logger().setLevel("ERROR")


def apply(execution: Execution) -> None:
    """What one program needs and another may have set otherwise."""
    tf.config.experimental.enable_tensor_float_32_execution(execution.precision == "tf32")
    if execution.deterministic:
        tf.config.experimental.enable_op_determinism()


def forget_custom_gradients() -> None:
    """Take the gradients that tf.custom_gradient registered out of TensorFlow's registry.

    Each trace registers its own under a new name, for good, and with it all tensors of its graph: some 8 MiB
    a trial. They are read while a graph is traced and never again. The registry is no part of TensorFlow's
    public interface; where it is not found, nothing is forgotten.
    """
    registered: dict[str, object] = getattr(ops.gradient_registry, "_registry", {})
    for name in [name for name in registered if name.startswith("CustomGradient-")]:
        del registered[name]


def gpu_index(device: str) -> int | None:
    """0 for `gpu`, n for `gpu:n`, None for anything else."""
    found = re.fullmatch(r"gpu(?::(\d+))?", device)
    return int(found.group(1) or 0) if found else None


def device_problem(device: str) -> str | None:
    """Why `device` cannot be used here, or None."""
    if device == "cpu":
        return None
    index = gpu_index(device)
    if index is None:
        return f"unknown device {device!r}; tensorflow backend takes cpu, gpu and gpu:N"
    count = len(tf.config.list_logical_devices("GPU"))
    if count == 0:
        if not tf.test.is_built_with_cuda():
            return "this TensorFlow is built without CUDA; install benchsuite's tensorflow extra for CUDA"
        return "TensorFlow sees no GPU on this machine"
    if index >= count:
        return f"device {device!r} is not here; TensorFlow sees {count} GPU(s)"
    return None


def tf_device(device: str) -> str:
    """TensorFlow's name of a contract's device."""
    index = gpu_index(device)
    return "/CPU:0" if index is None else f"/GPU:{index}"


def synchronize(device: str) -> None:
    """Wait for the device. On the CPU a function has run when its call returns."""
    if device != "cpu":
        tf.test.experimental.sync_devices()
