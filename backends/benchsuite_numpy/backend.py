"""NumpyBackend: which devices there are, what runs, and the machine's own matrix product."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchsuite.contracts import Backend, Device
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import UnsupportedError
from benchsuite.schema import GATES, Execution, ModelSpec, Recipe, Trial
from benchsuite.schema.names import NO_CELL
from benchsuite_numpy.arrays import DeviceContext, gpu_index, gpu_names, gpu_problem
from benchsuite_numpy.blas import blas_info
from benchsuite_numpy.checks import model_problem
from benchsuite_numpy.program import NumpyProgram


class NumpyBackend(Backend):
    """Hand-written kernels on NumPy, or on CuPy with the same code."""

    def devices(self) -> list[Device]:
        blas = blas_info()
        cpu = f"NumPy {np.__version__}, {blas['name']} {blas.get('version', '')}".rstrip()
        names = gpu_names()
        return [Device("cpu", cpu)] + [
            Device("gpu" if index == 0 else f"gpu:{index}", f"{name}, through CuPy")
            for index, name in enumerate(names)
        ]

    def supports(self, trial: Trial) -> str | None:
        if trial.cell != NO_CELL and trial.cell not in GATES:
            return f"cell {trial.cell!r} has no NumPy kernel; it has {', '.join(GATES)}"
        return _problem(trial.execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> NumpyProgram:
        problem = _problem(execution) or model_problem(model, recipe)
        if problem:
            raise UnsupportedError(problem)
        return NumpyProgram(model, parameters, recipe, execution)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        place, random = DeviceContext(execution.device), np.random.default_rng(0)
        with place.active():
            a, b = (
                place.xp.asarray(random.standard_normal(shape), execution.dtype) for shape in ((m, k), (k, n))
            )
            out = place.xp.empty((m, n), execution.dtype)

        def run() -> None:
            place.xp.matmul(a, b, out=out)
            place.synchronize()

        return run

    def versions(self) -> dict[str, str]:
        blas = blas_info()
        found = {"numpy": np.__version__, "blas": f"{blas['name']} {blas.get('version', '')}".rstrip()}
        if blas.get("architecture"):
            found["blas_architecture"] = blas["architecture"]
        if gpu_problem(0) is None:
            import cupy

            found["cupy"] = cupy.__version__
            found["cuda"] = str(cupy.cuda.runtime.runtimeGetVersion())
        return found


def _problem(execution: Execution) -> str | None:
    """Why this machine cannot run `execution` in NumPy, or None."""
    if execution.unroll == "fused":
        return "NumPy has no fused recurrent kernel; use unroll dynamic or static"
    if execution.device == "cpu":
        if execution.precision == "tf32":
            return "TF32 is a mode of NVIDIA GPUs; on the CPU use precision float32"
        return None
    index = gpu_index(execution.device)
    if index is None:
        return f"NumPy knows the devices cpu, gpu and gpu:1, gpu:2 ..., not {execution.device!r}"
    return gpu_problem(index)
