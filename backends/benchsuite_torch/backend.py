"""TorchBackend: what torch has on this machine, and how to build programs with it."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable

import torch

from benchsuite.contracts import Backend, Device, Parameters
from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe
from benchsuite_torch import compiled, runtime, support
from benchsuite_torch.kernels.matmul import peak_product
from benchsuite_torch.program import TorchProgram


class TorchBackend(Backend):
    """Eager PyTorch on the CPU or one CUDA device."""

    def __init__(self) -> None:
        runtime.single_interop_thread()
        runtime.import_compiler()

    def devices(self) -> list[Device]:
        capability = torch.backends.cpu.get_cpu_capability()
        found = [Device("cpu", f"{platform.machine()}, {capability}")]
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return found + [
            Device(str(DeviceName("gpu", index)), torch.cuda.get_device_name(index)) for index in range(count)
        ]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return support.problem(model, recipe, execution)

    def choices(
        self,
        model: ModelSpec,
        recipe: Recipe,  # noqa: ARG002
        execution: Execution,
    ) -> dict[str, tuple[str, ...]]:
        return support.choices(model, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> TorchProgram:
        return TorchProgram(model, parameters, recipe, execution)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        settings, device = runtime.Settings.of(execution), runtime.torch_device(execution.device)
        runtime.apply(settings)
        multiply = peak_product(m, k, n, getattr(torch, execution.dtype), device)

        def run() -> None:
            runtime.apply(settings)
            multiply()
            runtime.synchronize(device)

        return run

    def release(self) -> None:
        compiled.release()
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
