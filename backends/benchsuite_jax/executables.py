"""Compiled programs: one per function and batch shape, with what the compiler says of each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import jax

from benchsuite_jax.loops import SCOPE

Key = tuple[str, tuple[tuple[int, ...], bool]]
"""Function, and batch shape with whether it is free of padding."""

QUICK_CPU_COMPILATION: Mapping[str, int | bool] = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}
"""For functions that run a few times: measured on an LSTM of 128, compiling takes a fifth of the time and a
run three times as long."""

LOOP = re.compile(rf"= .* while\(.*op_name=\"[^\"]*{SCOPE}\)*/while", re.MULTILINE)
CUDNN = re.compile(r"custom_call_target=\"[^\"]*cudnn[^\"]*rnn", re.IGNORECASE)


@dataclass
class Executables:
    """Compiles a function the first time it meets a key, and keeps the result.

    `scope` makes the context that functions are traced in (matrix product precision).
    """

    scope: Callable[[], AbstractContextManager[Any]]
    compiled: dict[Key, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def get(
        self,
        key: Key,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        donate: tuple[int, ...] = (),
        options: Mapping[str, int | bool] | None = None,
    ) -> Any:
        """The executable of `function` for arguments shaped like `arguments`; those named in `donate` are
        overwritten by the results and must not be used again. `options` are the compiler's."""
        if key not in self.compiled:
            start = time.perf_counter()
            with self.scope():
                lowered = jax.jit(function, donate_argnums=donate).lower(*arguments)
                self.compiled[key] = lowered.compile(dict(options or {}))
            self.seconds += time.perf_counter() - start
        return self.compiled[key]


def loop_kind(executable: Any) -> str:
    """How the recurrence runs in a compiled program, read from its HLO: `cudnn`, `scan` or `unrolled`.

    Only loops inside the recurrence's own name scope count: XLA writes other operations (the scatter of an
    embedding's gradient) as loops too.
    """
    text = executable.as_text()
    if CUDNN.search(text):
        return "cudnn"
    return "scan" if LOOP.search(text) else "unrolled"
