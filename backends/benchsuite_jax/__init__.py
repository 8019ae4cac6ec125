"""JAX backend plugin: models as pure functions, compiled by XLA. Importing this imports no jax."""

from __future__ import annotations

import os
from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Backend, BackendEntry
from benchsuite.schema import Execution


def environment(execution: Execution) -> dict[str, str]:
    """What a worker's environment must hold before jax is imported.

    NPROC is what XLA sizes its CPU thread pools by; without it they are as wide as the process's CPU
    affinity. JAX_ENABLE_X64 is read at import: without it float64 arrays silently become float32. The
    compilation cache is off, so that compile times mean what they say. XLA_FLAGS keeps what the user set.
    """
    flags = os.environ.get("XLA_FLAGS", "").split()
    flags.append(f"--xla_cpu_multi_thread_eigen={str(execution.threads > 1).lower()}")
    variables = {
        "JAX_ENABLE_X64": "1" if execution.precision == "float64" else "0",
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "NPROC": str(execution.threads),
        "OMP_NUM_THREADS": str(execution.threads),
    }
    if execution.device == "cpu":
        variables["JAX_PLATFORMS"] = "cpu"
    else:
        variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        if execution.deterministic:
            flags.append("--xla_gpu_deterministic_ops=true")
    return variables | {"XLA_FLAGS": " ".join(flags)}


def core_environment(execution: Execution) -> dict[str, str]:
    """Those of environment(), but on the CPU XLA does not optimise: the core kit makes hundreds of programs,
    runs each a few times and times none."""
    variables = environment(execution)
    if execution.device == "cpu":
        variables["XLA_FLAGS"] += " --xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
    return variables


def load() -> Backend:
    """Import jax and make the backend."""
    from benchsuite_jax.backend import JaxBackend

    return JaxBackend()


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    """The `jax` backend."""
    yield BackendEntry(
        name="jax",
        load=load,
        summary="JAX: pure functions compiled by XLA, lax.scan or an unrolled graph; cuDNN LSTM on GPU",
        requirements=("jax",),
        extra="jax",
        environment=environment,
        core_environment=core_environment,
    )
