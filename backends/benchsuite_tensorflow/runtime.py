"""TensorFlow's process-wide settings, its devices, and graphs: one tf.function trace per purpose and shape."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

from benchsuite.contracts import Compilation, CompilationTimer
from benchsuite.schema import DeviceName, Execution
from benchsuite_tensorflow.cells import Tensor

LOOP_OPERATIONS = {"While", "StatelessWhile"}
SCAN = "associative_scan"
"""Part of the name of every operation of a scan over time."""


def configure() -> None:
    """Thread pools from the environment, GPU memory taken as it is needed. Before any operation only.

    With BENCHSUITE_TENSORFLOW_GRAPHS=plain graphs run as they were traced, for those that run a few times.
    """
    intra = os.environ.get("TF_NUM_INTRAOP_THREADS")
    inter = os.environ.get("TF_NUM_INTEROP_THREADS")
    if intra:
        tf.config.threading.set_intra_op_parallelism_threads(int(intra))
    if inter:
        tf.config.threading.set_inter_op_parallelism_threads(int(inter))
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    if os.environ.get("BENCHSUITE_TENSORFLOW_GRAPHS") == "plain":
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.get_logger().setLevel("ERROR")


def apply(execution: Execution) -> None:
    """What one program needs and another may have set otherwise."""
    tf.config.experimental.enable_tensor_float_32_execution(execution.precision == "tf32")
    if execution.deterministic:
        tf.config.experimental.enable_op_determinism()


@contextmanager
def as_traced() -> Iterator[None]:
    """Graphs that are called inside run as they were traced."""
    if tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer"):
        yield
        return
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


def forget_custom_gradients() -> None:
    """Take the gradients that tf.custom_gradient registered out of TensorFlow's registry.

    Each trace registers its own under a new name, for good, and with it all tensors of its graph: some 8 MiB
    per trial. They are read while a graph is traced and never again. The registry is no part of TensorFlow's
    public interface; where it is not found, nothing is forgotten.
    """
    registered: dict[str, object] = getattr(ops.gradient_registry, "_registry", {})
    for name in [name for name in registered if name.startswith("CustomGradient-")]:
        del registered[name]


def tf_device(device: str) -> str:
    """TensorFlow's name of the device that `execution.device` names."""
    name = DeviceName.parse(device)
    return f"/{name.kind.upper()}:{name.number}"


def synchronize(device: str) -> None:
    """Wait for the device. On the CPU a function has run when its call returns."""
    if device != "cpu":
        tf.test.experimental.sync_devices()


class Graphs:
    """Concrete functions by purpose (`step`, `predict`, `gradients`, a decoding's `start` and `advance`) and
    argument shapes.

    traces   how many were traced, by purpose
    seconds  what tracing took
    made     every trace with its first call, in which TensorFlow optimises the graph
    """

    def __init__(self) -> None:
        self._traced: dict[tuple[Any, ...], Any] = {}
        self.traces: Counter[str] = Counter()
        self.seconds = 0.0
        self.made: list[Compilation] = []

    def run(
        self,
        purpose: str,
        function: Callable[..., Any],
        arguments: Sequence[Tensor],
        free_axes: Sequence[int | None],
        variant: Hashable = None,
    ) -> Any:
        """Call the trace of `function` that fits `arguments`, made now if there is none yet.

        :param free_axes: for each argument the axis that one trace serves every length of, or None.
        :param variant: what else `function` depends on.
        """
        shapes = tuple(
            tuple(None if axis == free else size for axis, size in enumerate(argument.shape))
            for argument, free in zip(arguments, free_axes, strict=True)
        )
        key = (purpose, variant, *shapes)
        if key in self._traced:
            return self._traced[key](*arguments)
        timer, begin = CompilationTimer(), time.perf_counter()
        specs = [tf.TensorSpec(s, a.dtype) for s, a in zip(shapes, arguments, strict=True)]
        self._traced[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
        self.traces[purpose] += 1
        self.seconds += time.perf_counter() - begin
        found = self._traced[key](*arguments)
        shape = "x".join("any" if size is None else str(size) for size in shapes[0]) if shapes else ""
        self.made.append(timer.read(purpose, shape))
        return found

    @property
    def any(self) -> Any:
        """A traced step, prediction or backward pass, the first of these that there is; or None."""
        for purpose in ("step", "predict", "gradients"):
            for key, graph in self._traced.items():
                if key[0] == purpose:
                    return graph
        return None


def operations(traced: Any) -> set[str]:
    """Types of all operations of a concrete function, those of the functions it calls included."""
    found = {operation.type for operation in traced.graph.get_operations()}
    library = traced.graph.as_graph_def().library.function
    return found | {node.op for function in library for node in function.node_def}


def kernel_of(traced: Any, looping: bool) -> str:
    """`cudnn`, `associative_scan`, `while_loop` or `unrolled`, by the operations of the graph; `conv2d` where
    nothing recurs.

    :param looping: whether a loop next to a fused kernel or a scan is a recurrence too (and not CTC's): both
        are named.
    """
    found = operations(traced)
    loops = bool(found & LOOP_OPERATIONS)
    if any(kind.startswith("CudnnRNN") for kind in found):
        return "cudnn+while_loop" if loops and looping else "cudnn"
    if any(SCAN in operation.name for operation in traced.graph.get_operations()):
        return f"{SCAN}+while_loop" if loops and looping else SCAN
    if loops:
        return "while_loop"
    return "conv2d" if "Conv2D" in found else "unrolled"
