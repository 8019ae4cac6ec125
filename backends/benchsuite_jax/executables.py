"""Compiled programs: one per function and batch shape, with what the compiler says of each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import jax

Key = tuple[str, tuple[Any, ...]]
"""Function, and what it is compiled for: shapes, and whether they are free of padding."""

QUICK_CPU_COMPILATION: Mapping[str, int | bool] = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}
"""For functions that run a few times: measured on an LSTM of 128, compiling takes a fifth of the time and a
run three times as long."""

CPU_COMPILATION: Mapping[str, int | bool] = {"xla_cpu_prefer_vector_width": 512}
"""For the others. XLA's own 256 leaves half of an AVX-512 unit idle: steps take 3 to 5 % less time so. Where
there are no such vectors it changes nothing."""

LOOP = r"= .* while\(.*op_name=\"[^\"]*{scope}\)*/while"
CUDNN = re.compile(r"custom_call_target=\"[^\"]*cudnn[^\"]*rnn", re.IGNORECASE)


@dataclass
class Executables:
    """Compiles a function the first time it meets a key, and keeps the result.

    `scope` makes the context that functions are traced in (matrix product precision); `options` are the
    compiler's.
    """

    scope: Callable[[], AbstractContextManager[Any]]
    options: Mapping[str, int | bool]
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
        overwritten by the results and must not be used again. `options` stand in for the compiler's usual
        ones."""
        if key not in self.compiled:
            start = time.perf_counter()
            with self.scope():
                lowered = jax.jit(function, donate_argnums=donate).lower(*arguments)
                self.compiled[key] = lowered.compile(dict(self.options if options is None else options))
            self.seconds += time.perf_counter() - start
        return self.compiled[key]


def loop_kind(text: str, scopes: Sequence[str], beside: Sequence[str] = ()) -> str:
    """How the recurrence runs in a compiled program whose HLO is `text`: `cudnn`, `scan` or `unrolled`, or two
    of them joined by `+` where encoder and decoder differ.

    :param scopes: names of the recurrences. Only loops inside these name scopes count: XLA writes other
        operations (the scatter of an embedding's gradient) as loops too.
    :param beside: which of them run as loops where the others are cuDNN's.
    """

    def kind(scope: str) -> str:
        return "scan" if re.search(LOOP.format(scope=scope), text) else "unrolled"

    kinds = ["cudnn", *map(kind, beside)] if CUDNN.search(text) else list(map(kind, scopes))
    return "+".join(dict.fromkeys(kinds))
