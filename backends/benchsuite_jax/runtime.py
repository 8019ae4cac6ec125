"""jax's devices, its precision of matrix products, and compiled programs: one per function and batch shape."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

import jax

from benchsuite.contracts import Compilation, CompilationTimer
from benchsuite.schema import DeviceName, Execution
from benchsuite_jax import cpu_compilation, jaxlib_version, quick_cpu_compilation
from benchsuite_jax.loops import ASSOCIATIVE

Key = tuple[str, tuple[Any, ...]]
"""Function, and what it is compiled for: shapes, and whether they are free of padding."""

QUICK_CPU_COMPILATION = quick_cpu_compilation(jaxlib_version())
"""For functions that run a few times."""

CPU_COMPILATION = cpu_compilation(os.environ.get("XLA_FLAGS", ""))
"""For the others."""


def compiler_options(execution: Execution) -> Mapping[str, int | bool]:
    """XLA's options for functions that run often; what is not named is left to XLA and XLA_FLAGS."""
    return CPU_COMPILATION if execution.device == "cpu" else {}


LOOP = r"= .* while\(.*op_name=\"[^\"]*{scope}\)*/while"
CUDNN = re.compile(r"custom_call_target=\"[^\"]*cudnn[^\"]*rnn", re.IGNORECASE)


def platform_devices(name: str) -> list[jax.Device]:
    """jax's devices of a platform, `cpu` or `gpu`; none where this installation or machine lacks it."""
    try:
        return list(jax.devices(name))
    except RuntimeError:
        return []


def jax_device(name: str) -> jax.Device:
    """The device that `execution.device` names."""
    device = DeviceName.parse(name)
    return platform_devices(device.kind)[device.number]


def gpu_names() -> list[str]:
    """The kinds of this machine's GPUs. A process made for the CPU does not see them: another one is asked.

    Without a GPU plugin of jax there are none to ask for.
    """
    found = [gpu.device_kind for gpu in platform_devices("gpu")]
    if found or os.environ.get("JAX_PLATFORMS") != "cpu" or not entry_points(group="jax_plugins"):
        return found
    script = "import jax\nfor device in jax.devices('gpu'): print(device.device_kind)"
    variables = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    answer = subprocess.run(
        [sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=False
    )
    return answer.stdout.splitlines() if answer.returncode == 0 else []


def matmul_precision(execution: Execution) -> AbstractContextManager[Any]:
    """Functions traced inside compute matrix products in the precision of `execution`."""
    tf32 = execution.precision == "tf32"
    scope: AbstractContextManager[Any] = jax.default_matmul_precision("tensorfloat32" if tf32 else "highest")
    return scope


@dataclass
class Executables:
    """Compiles a function the first time that it meets a key, and keeps the result.

    scope     makes the context that functions are traced in (precision of matrix products)
    options   the compiler's
    shared    what programs that were built alike have compiled: taken from there instead of compiled again
    compiled  what has been used so far
    made      what was compiled here
    reused    how many another program had compiled
    """

    scope: Callable[[], AbstractContextManager[Any]]
    options: Mapping[str, int | bool]
    shared: dict[Key, Any] = field(default_factory=dict)
    compiled: dict[Key, Any] = field(default_factory=dict)
    made: list[Compilation] = field(default_factory=list)
    reused: int = 0

    def get(
        self,
        key: Key,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        donate: tuple[int, ...] = (),
        options: Mapping[str, int | bool] | None = None,
    ) -> Any:
        """The executable of `function` for arguments of the shapes of `arguments`.

        :param donate: arguments by number that the results overwrite; they must not be used again.
        :param options: given to the compiler in place of its usual ones.
        """
        if key not in self.compiled:
            if key not in self.shared:
                timer = CompilationTimer()
                with self.scope():
                    lowered = jax.jit(function, donate_argnums=donate).lower(*arguments)
                    self.shared[key] = lowered.compile(dict(self.options if options is None else options))
                self.made.append(timer.read(key[0], _words(key)))
            else:
                self.reused += 1
            self.compiled[key] = self.shared[key]
        return self.compiled[key]


def _words(key: Key) -> str:
    """The shape of the inputs that a function is compiled for."""
    _, compiled_for = key
    shape = next((part for part in compiled_for if isinstance(part, tuple)), compiled_for)
    return "x".join(str(size) for size in shape if not isinstance(size, bool))


def loop_kind(text: str, scopes: Sequence[str], looping: Sequence[str] = ()) -> str:
    """How the recurrence runs in a compiled program whose HLO is `text`: `cudnn`, `scan`, `associative_scan` or
    `unrolled`, or two of them joined by `+` where encoder and decoder differ.

    :param scopes: names of the recurrences. Only loops inside these name scopes count: XLA compiles other
        operations (the scatter of an embedding's gradient) as loops too.
    :param looping: which of them run as loops where the others are cuDNN's.
    """

    def kind(scope: str) -> str:
        if re.search(LOOP.format(scope=scope), text):
            return "scan"
        return ASSOCIATIVE if re.search(rf"op_name=\"[^\"]*{scope}[^\"]*{ASSOCIATIVE}", text) else "unrolled"

    kinds = ["cudnn", *map(kind, looping)] if CUDNN.search(text) else list(map(kind, scopes))
    return "+".join(dict.fromkeys(kinds))
