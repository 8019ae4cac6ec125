"""Keras on TensorFlow: graphs of tf.function, compiled by XLA where Keras chooses so."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from benchsuite.contracts import Device, absent_device
from benchsuite.schema import DeviceName, Execution
from benchsuite_keras.runtime import Data, Differentiated, Function, Tensor
from benchsuite_tensorflow import runtime as graphs

NAME = "tensorflow"
COMPILES = True
MOST_UNROLLED = 64

configure = graphs.configure


def devices() -> list[Device]:
    found = [Device("cpu", platform.machine())]
    for index, gpu in enumerate(tf.config.list_physical_devices("GPU")):
        details = tf.config.experimental.get_device_details(gpu)
        found.append(Device(str(DeviceName("gpu", index)), str(details.get("device_name", gpu.name))))
    return found


def device_problem(execution: Execution) -> str | None:
    return absent_device("TensorFlow", DeviceName.parse(execution.device), len(devices()) - 1)


def precision_problem(execution: Execution) -> str | None:  # noqa: ARG001 - TensorFlow has both
    return None


def apply(execution: Execution) -> None:
    graphs.apply(execution)


def synchronize(execution: Execution) -> None:
    graphs.synchronize(execution.device)


def differentiated(function: Function, variables: Sequence[Any]) -> Differentiated:
    def run(
        data: Data, probes: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor, Sequence[Tensor], Mapping[str, Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(list(probes.values()))
            loss, scores = function(data, probes)
        wanted = [variable.value for variable in variables]
        by_variable, by_probe = tape.gradient(
            loss, (wanted, dict(probes)), unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return loss, scores, [tf.convert_to_tensor(gradient) for gradient in by_variable], by_probe

    traced: Differentiated = tf.function(run, autograph=False)
    return traced


def kernel(network: Any, inputs: Any) -> str:
    """`cudnn`, `while_loop` or `unrolled`, by the operations of the traced forward pass."""
    traced = tf.function(lambda given: network(given, training=True), autograph=False)
    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in inputs.items()}
    return graphs.kernel_of(traced.get_concrete_function(specs), looping=False)


def product(m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
    with tf.device(graphs.tf_device(execution.device)):
        a, b = (
            tf.random.stateless_normal(shape, (0, 0), dtype=execution.dtype) for shape in ((m, k), (k, n))
        )
        specs = [tf.TensorSpec(x.shape, x.dtype) for x in (a, b)]
        multiply = tf.function(tf.matmul, autograph=False).get_concrete_function(*specs)

    def run() -> None:
        apply(execution)
        multiply(a, b)
        synchronize(execution)

    return run


def memory(execution: Execution) -> dict[str, int]:
    if execution.device == "cpu":
        return {}
    name = graphs.tf_device(execution.device).lstrip("/")
    return {"device_peak": tf.config.experimental.get_memory_info(name)["peak"]}


def release() -> None:
    graphs.forget_custom_gradients()


def versions() -> dict[str, str]:
    return {
        "tensorflow": tf.__version__,
        "tensorflow/intra_threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
    }
