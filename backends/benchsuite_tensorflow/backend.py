"""TensorFlowBackend: what TensorFlow has on this machine, and how to build programs with it."""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable

import keras
import tensorflow as tf

from benchsuite.contracts import Backend, Device, Parameters
from benchsuite.errors import UnsupportedError
from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe
from benchsuite_tensorflow import runtime
from benchsuite_tensorflow.program import TensorFlowProgram
from benchsuite_tensorflow.support import execution_problem, unsupported_reason


class TensorFlowBackend(Backend):
    """tf.function graphs on the CPU or one GPU."""

    def __init__(self) -> None:
        runtime.configure()

    def devices(self) -> list[Device]:
        found = [Device("cpu", platform.machine())]
        for index, gpu in enumerate(tf.config.list_physical_devices("GPU")):
            details = tf.config.experimental.get_device_details(gpu)
            name = str(DeviceName("gpu", index))
            found.append(Device(name, str(details.get("device_name", gpu.name))))
        return found

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return unsupported_reason(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> TensorFlowProgram:
        return TensorFlowProgram(model, parameters, recipe, execution)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        if problem := execution_problem(execution):
            raise UnsupportedError(problem)
        with tf.device(runtime.tf_device(execution.device)):
            a, b = (
                tf.random.stateless_normal(shape, (0, 0), dtype=execution.dtype) for shape in ((m, k), (k, n))
            )
            specs = [tf.TensorSpec(x.shape, x.dtype) for x in (a, b)]
            multiply = tf.function(tf.matmul, autograph=False).get_concrete_function(*specs)

        def run() -> None:
            runtime.apply(execution)
            multiply(a, b)
            runtime.synchronize(execution.device)

        return run

    def release(self) -> None:
        """Graphs refer to themselves in circles; the collector frees them and the tensors they hold, once
        TensorFlow's registry of gradients has released them."""
        runtime.forget_custom_gradients()
        gc.collect()

    def versions(self) -> dict[str, str]:
        built = tf.sysconfig.get_build_info()
        found = {
            "tensorflow": tf.__version__,
            "tensorflow/keras": keras.__version__,
            "tensorflow/intra_threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
            "tensorflow/inter_threads": str(tf.config.threading.get_inter_op_parallelism_threads()),
            "tensorflow/cuda_build": str(built.get("is_cuda_build", False)),
        }
        for name in ("cuda_version", "cudnn_version", "cpu_compiler"):
            if name in built:
                found[f"tensorflow/{name}"] = str(built[name])
        return found
