"""Keras 3 as a backend, once for each framework that Keras runs on: `keras_tensorflow`, `keras_jax`,
`keras_torch`.

Keras reads KERAS_BACKEND when it is imported, once per process; so each of them has workers of its own.
Importing this module is cheap: keras and the framework are imported by the entries' load() alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry

if TYPE_CHECKING:
    from benchsuite.contracts import Backend
    from benchsuite.schema import Execution

__all__ = ["benchsuite_register_backends"]

FRAMEWORKS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
"""Keras' word for a framework -> its name."""


def _load(framework: str) -> Backend:
    """Keras imports the other frameworks that are installed, at its own import and when it first makes a
    bidirectional layer: seconds of start-up, and several thread pools in one process. So that happens
    here, where they are hidden."""
    from benchsuite_tensorflow import hidden

    with ExitStack() as found:
        for other in {"tensorflow", "jax"} - {framework}:
            found.enter_context(hidden(other))
        from benchsuite_keras.backend import KerasBackend

        return KerasBackend(framework)


def _environment(framework: str, execution: Execution) -> Mapping[str, str]:
    """The variables of the framework's own backend, and which framework it is."""
    own = import_module(f"benchsuite_{framework}")
    return {**own.environment(execution), "KERAS_BACKEND": framework}


def _core_environment(framework: str, execution: Execution) -> Mapping[str, str]:
    """The core kit takes few steps of each model: compiling them well would take longer than running them."""
    own = import_module(f"benchsuite_{framework}")
    quickly = getattr(own, "core_environment", own.environment)(execution)
    return {**quickly, "KERAS_BACKEND": framework, "BENCHSUITE_KERAS_COMPILATION": "none"}


def _entry(framework: str) -> BackendEntry:
    return BackendEntry(
        name=f"keras_{framework}",
        load=partial(_load, framework),
        summary=f"Keras 3 on {FRAMEWORKS[framework]}: Keras' own layers, trained by train_on_batch",
        requirements=("keras", framework),
        extra=f"keras-{framework}",
        environment=partial(_environment, framework),
        core_environment=partial(_core_environment, framework),
    )


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    return [_entry(framework) for framework in FRAMEWORKS]
