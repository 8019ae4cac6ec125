"""TorchBackend: what torch has on this machine, and how to build programs with it."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable

import torch

from benchsuite.contracts import Backend, Device
from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.checks import BIDIRECTIONAL_CARRY, model_problem
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Execution, ModelSpec, Recipe, Recurrent, Trial
from benchsuite.schema.names import NO_CELL
from benchsuite_torch import runtime
from benchsuite_torch.checks import cell_problem, determinism_problem, execution_problem
from benchsuite_torch.limit import multiplication
from benchsuite_torch.program import TorchProgram


class TorchBackend(Backend):
    """Eager PyTorch on the CPU or one CUDA device."""

    def __init__(self) -> None:
        runtime.single_interop_thread()

    def devices(self) -> list[Device]:
        capability = torch.backends.cpu.get_cpu_capability()
        found = [Device("cpu", f"{platform.machine()}, {capability}")]
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            name = "gpu" if index == 0 else f"gpu:{index}"
            found.append(Device(name, torch.cuda.get_device_name(index)))
        return found

    def supports(self, trial: Trial) -> str | None:
        problem = execution_problem(trial.execution)
        if problem is None and trial.cell != NO_CELL:
            problem = cell_problem(trial.cell)
        if problem is None and trial.recipe.carry and "bidirectional" in trial.architecture:
            problem = BIDIRECTIONAL_CARRY
        return problem

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> TorchProgram:
        problem = execution_problem(execution) or model_problem(model, recipe)
        if problem is None and isinstance(model.body, Recurrent):
            problem = cell_problem(model.body.cell)
        problem = problem or determinism_problem(model, execution)
        if problem:
            raise UnsupportedError(problem)
        return TorchProgram(model, parameters, recipe, execution)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        problem = execution_problem(execution)
        if problem:
            raise UnsupportedError(problem)
        settings, device = runtime.Settings.of(execution), runtime.torch_device(execution.device)
        runtime.apply(settings)
        multiply = multiplication(m, k, n, getattr(torch, execution.dtype), device)

        def run() -> None:
            runtime.apply(settings)
            multiply()
            runtime.synchronize(device)

        return run

    def release(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def versions(self) -> dict[str, str]:
        built = torch.__config__.show()
        onednn = re.search(r"MKL-DNN (v\S+)", built)
        blas = re.search(r"BLAS_INFO=(\w+)", built)
        found = {
            "torch": str(torch.__version__),
            "onednn": onednn.group(1) if onednn and torch.backends.mkldnn.is_available() else "absent",
            "blas": blas.group(1) if blas else "unknown",
            "cpu_capability": str(torch.backends.cpu.get_cpu_capability()),
            "threads": str(torch.get_num_threads()),
            "interop_threads": str(torch.get_num_interop_threads()),
            "cuda": str(torch.version.cuda or "absent"),
        }
        if torch.backends.cudnn.is_available():
            found["cudnn"] = str(torch.backends.cudnn.version())
        return found
