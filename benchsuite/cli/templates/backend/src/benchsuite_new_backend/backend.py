"""NewBackend: what it runs, on which devices, and how it builds a program."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from benchsuite.contracts import Backend, Device, Parameters, Supported
from benchsuite.schema import Execution, ModelSpec, Recipe

from benchsuite_new_backend.program import NewBackendProgram

SUPPORTED = Supported(
    backend="new_backend",
    cells=("rnn", "lstm", "gru"),
    heads=("dense",),
    losses=("cross_entropy", "squared"),
    readouts=("last", "mean"),
    optimisers=("sgd", "adam"),
    clips=("none", "norm"),
    unrolls=("dynamic",),
    precisions=("float32", "float64"),
)
"""Everything else is declined. Add a name here when the code below can do it; the kit then checks it."""


class NewBackend(Backend):
    """Models in NumPy, differentiated by autograd."""

    def devices(self) -> list[Device]:
        return [Device("cpu", f"NumPy {np.__version__}")]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return SUPPORTED.declines(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> NewBackendProgram:
        return NewBackendProgram(model, parameters, recipe, execution.dtype)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        random = np.random.default_rng(0)
        a = random.standard_normal((m, k)).astype(execution.dtype)
        b = random.standard_normal((k, n)).astype(execution.dtype)
        out = np.empty((m, n), execution.dtype)

        def run() -> None:
            np.matmul(a, b, out=out)

        return run

    def versions(self) -> dict[str, str]:
        return {"numpy": np.__version__, "autograd": version("autograd")}
