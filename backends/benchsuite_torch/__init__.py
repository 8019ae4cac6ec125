"""PyTorch backend: torch.nn's fused layers, torch.nn's cells under autograd, and loops of our own.

Importing this module is cheap; torch is imported by the entry's load() alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry

if TYPE_CHECKING:
    from benchsuite.contracts import Backend
    from benchsuite.schema import Execution

__all__ = ["benchsuite_register_backends"]


def _load() -> Backend:
    from benchsuite_torch.backend import TorchBackend

    return TorchBackend()


def environment(execution: Execution) -> Mapping[str, str]:
    """A silent profiler, and the cuBLAS workspace without which cuDNN's recurrent layers are not
    reproducible."""
    variables = {"KINETO_LOG_LEVEL": "99"}  # the profiler that names the kernel would write to stderr
    if execution.deterministic:
        variables["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    return variables


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    return [
        BackendEntry(
            name="torch",
            load=_load,
            summary="PyTorch: torch.nn's fused layers, torch.nn's cells under autograd, and our own loops",
            requirements=("torch",),
            extra="torch",
            environment=environment,
        )
    ]
