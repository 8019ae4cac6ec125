"""NumpyBackend: which devices there are, what runs, and the machine's own matrix product."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchsuite.contracts import Backend, Device, Parameters
from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe
from benchsuite_numpy.program import NumpyProgram
from benchsuite_numpy.runtime import DeviceContext, blas_info, gpu_names, gpu_problem
from benchsuite_numpy.support import unsupported_reason


class NumpyBackend(Backend):
    """Hand-written kernels on NumPy, or on CuPy with the same code."""

    def devices(self) -> list[Device]:
        blas = blas_info()
        cpu = f"NumPy {np.__version__}, {blas['name']} {blas.get('version', '')}".rstrip()
        names = gpu_names()
        return [Device("cpu", cpu)] + [
            Device(str(DeviceName("gpu", number)), f"{name}, through CuPy")
            for number, name in enumerate(names)
        ]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return unsupported_reason(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> NumpyProgram:
        return NumpyProgram(model, parameters, recipe, execution)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        device, random = DeviceContext(execution.device), np.random.default_rng(0)
        with device.active():
            a, b = (
                device.xp.asarray(random.standard_normal(shape), execution.dtype)
                for shape in ((m, k), (k, n))
            )
            out = device.xp.empty((m, n), execution.dtype)

        def run() -> None:
            device.xp.matmul(a, b, out=out)
            device.synchronize()

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
