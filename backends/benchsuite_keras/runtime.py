"""What each framework under Keras must say and do for the backend, and Keras' settings of a process."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import keras

from benchsuite.contracts import Device
from benchsuite.schema import DeviceName, Execution

Tensor = Any
Data = Mapping[str, Any]
"""What a function reads of a batch, by name: tensors, and a dict of those that the model reads."""
Function = Callable[[Data, Mapping[str, Tensor]], tuple[Tensor, Tensor]]
"""(data, probes by layer prefix) -> loss and scores; reads the model's variables as Keras does."""
Differentiated = Callable[
    [Data, Mapping[str, Tensor]], tuple[Tensor, Tensor, Sequence[Tensor], Mapping[str, Tensor]]
]
"""(data, probes) -> loss, scores, its gradient by every variable, and by every probe."""


class Framework(Protocol):
    """A module of benchsuite_keras.frameworks."""

    NAME: str
    """As in `keras_NAME`."""
    COMPILES: bool
    """Whether it traces or compiles what Keras gives it."""
    MOST_UNROLLED: int | None
    """Most cell steps (time x layers x directions) that one compiled graph may hold; None where it compiles
    nothing."""

    def configure(self) -> None:
        """Settings of the process, before any operation."""

    def devices(self) -> list[Device]: ...

    def device_problem(self, execution: Execution) -> str | None: ...

    def precision_problem(self, execution: Execution) -> str | None: ...

    def apply(self, execution: Execution) -> None:
        """What one program needs and another may have set otherwise."""

    def synchronize(self, execution: Execution) -> None: ...

    def differentiated(self, function: Function, variables: Sequence[Any]) -> Differentiated: ...

    def kernel(self, network: Any, inputs: Any) -> str:
        """How the recurrence runs, read from a forward pass of `network` in training."""

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]: ...

    def memory(self, execution: Execution) -> dict[str, int]: ...

    def release(self) -> None: ...

    def versions(self) -> dict[str, str]: ...


def framework(name: str) -> Framework:
    """The module of a framework, imported."""
    module: Any = importlib.import_module(f"benchsuite_keras.frameworks.on_{name}")
    found: Framework = module
    return found


def scope(execution: Execution) -> AbstractContextManager[Any]:
    """Keras places inside on the device of `execution`."""
    device = DeviceName.parse(execution.device)
    # with "cpu:0" Keras' variables on PyTorch are copies of parameters, and have no gradient
    placed: AbstractContextManager[Any] = keras.device(
        f"gpu:{device.number}" if device.kind == "gpu" else "cpu"
    )
    return placed


def set_precision(execution: Execution) -> None:
    """Keras' losses, metrics and optimisers take their type from a setting of the process, and functions
    are traced when they are first called: so every call of a program sets it."""
    if keras.config.floatx() != execution.dtype:
        keras.config.set_floatx(execution.dtype)


def host(tensor: Tensor) -> Any:
    """A NumPy copy."""
    return keras.ops.convert_to_numpy(tensor).copy()
