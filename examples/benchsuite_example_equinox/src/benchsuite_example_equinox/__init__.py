"""Equinox as a backend of benchsuite: the card by which it is known. Only load() imports the framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version

from benchsuite import hookimpl
from benchsuite.contracts import Backend, BackendEntry
from benchsuite.schema import Execution


def _load() -> Backend:
    from benchsuite_example_equinox.backend import EquinoxBackend

    return EquinoxBackend()


def _environment(execution: Execution) -> Mapping[str, str]:
    """What JAX reads when it is imported. One thread is XLA without the thread pool of its matrix products."""
    variables = {"JAX_ENABLE_X64": "1" if execution.precision == "float64" else "0", "JAX_PLATFORMS": "cpu"}
    if execution.threads == 1:
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        variables["NPROC"] = "1"
    return variables


def _core_environment(execution: Execution) -> Mapping[str, str]:
    """The core kit compiles many small programs and times none: XLA need not optimise them.

    XLA has no flag for its fusion emitters from jaxlib 0.12 on. It ends the process at a flag that it does
    not know.
    """
    variables = {"XLA_FLAGS": "", **_environment(execution)}
    flags = "--xla_backend_optimization_level=0"
    if tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 12):
        flags += " --xla_cpu_use_fusion_emitters=false"
    return variables | {"XLA_FLAGS": f"{variables['XLA_FLAGS']} {flags}".strip()}


EQUINOX = BackendEntry(
    "equinox",
    _load,
    "recurrent networks in Equinox, on JAX",
    requirements=("equinox", "jax"),
    extra=None,
    environment=_environment,
    core_environment=_core_environment,
)


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    return [EQUINOX]
