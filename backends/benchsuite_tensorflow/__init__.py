"""TensorFlow backend: tf.function graphs with loops over steps, and Keras' cuDNN layers on a GPU.

Importing this module is cheap; tensorflow is imported by the entry's load() alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry

if TYPE_CHECKING:
    from benchsuite.contracts import Backend
    from benchsuite.schema import Execution

__all__ = ["benchsuite_register_backends"]


def _load() -> Backend:
    with hidden("jax"):
        from benchsuite_tensorflow.backend import TensorFlowBackend

    return TensorFlowBackend()


@contextmanager
def hidden(module: str) -> Iterator[None]:
    """Importing `module` fails inside: TensorFlow's converters import jax wherever it is installed, a second
    framework in the process and a second of start-up that nobody here needs."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def environment(execution: Execution) -> Mapping[str, str]:
    """Threads of TensorFlow's two pools and of OpenMP, a quiet log, GPU memory taken as it is needed."""
    threads = str(execution.threads)
    variables = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    if execution.device == "cpu":
        variables["CUDA_VISIBLE_DEVICES"] = "-1"
    if execution.deterministic:
        variables["TF_DETERMINISTIC_OPS"] = "1"
    return variables


def core_environment(execution: Execution) -> Mapping[str, str]:
    """The core kit runs each graph a few times: improving graphs would take longer than running them as they
    are."""
    return {**environment(execution), "BENCHSUITE_TENSORFLOW_GRAPHS": "plain"}


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    return [
        BackendEntry(
            name="tensorflow",
            load=_load,
            summary="TensorFlow: tf.function graphs, unrolled or as while loops, and Keras' cuDNN layers",
            requirements=("tensorflow",),
            extra="tensorflow",
            environment=environment,
            core_environment=core_environment,
        )
    ]
