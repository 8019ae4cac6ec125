"""NumPy backend: hand-written forward and backward passes, and the reference that parity is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from benchsuite import hookimpl
from benchsuite.contracts import Backend, BackendEntry

if TYPE_CHECKING:
    from benchsuite.schema import Execution


def _load() -> Backend:
    from benchsuite_numpy.backend import NumpyBackend

    return NumpyBackend()


def _load_reference() -> Backend:
    from benchsuite_numpy.reference import ReferenceBackend

    return ReferenceBackend()


def _environment(execution: Execution) -> Mapping[str, str]:
    """CuPy reads at its import whether its products may use TF32."""
    return {"CUPY_TF32": "1" if execution.precision == "tf32" else "0"}


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    """The NumPy backend, on the CPU and, through CuPy, on a GPU."""
    return [
        BackendEntry(
            name="numpy",
            load=_load,
            summary="hand-written kernels in NumPy (CPU) and CuPy (GPU); float64 NumPy is the reference",
            requirements=("numpy",),
            extra=None,
            environment=_environment,
            reference=True,
            reference_load=_load_reference,
        )
    ]
