"""JAX backend plugin: models as pure functions, compiled by XLA. Importing this imports no jax."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from benchsuite import hookimpl
from benchsuite.contracts import Backend, BackendEntry
from benchsuite.schema import Execution

EMITTERS_ALWAYS = (0, 12)
"""From this version of jaxlib on, XLA always uses its fusion emitters: it has no option to leave them out."""


def jaxlib_version() -> str | None:
    """The version of jaxlib in this interpreter, found without importing it. None: it is not installed."""
    try:
        return version("jaxlib")
    except PackageNotFoundError:
        return None


def quick_cpu_compilation(jaxlib: str | None) -> Mapping[str, int | bool]:
    """XLA's options for functions that run a few times: measured on an LSTM of 128 units, compiling takes a
    fifth of the time and a run three times as long.

    XLA ends the process at a flag, and raises at a compile option, that it does not know.

    :param jaxlib: its version, of which the first two numbers count. None: only what every version knows.
    """
    options: dict[str, int | bool] = {"xla_backend_optimization_level": 0}
    if jaxlib is not None and tuple(int(number) for number in jaxlib.split(".")[:2]) < EMITTERS_ALWAYS:
        options["xla_cpu_use_fusion_emitters"] = False
    return options


CPU_COMPILATION: Mapping[str, int | bool] = {"xla_backend_optimization_level": 1}
"""XLA's options for functions that train and evaluate; every version knows them.

Of its own level, 3, a training step takes longer to compile and no less to run (`benchmarks/compiling.py`). Its
fusion emitters stay: without them compiling takes half the time, a prediction up to 2.8 times as long.
"""


def cpu_compilation(flags: str = "") -> Mapping[str, int | bool]:
    """CPU_COMPILATION without what `flags` (XLA_FLAGS) name: the user's choice stands above it."""
    named = {flag.lstrip("-").partition("=")[0] for flag in flags.split()}
    return {name: value for name, value in CPU_COMPILATION.items() if name not in named}


def xla_flags(options: Mapping[str, int | bool]) -> str:
    """XLA's options as XLA_FLAGS takes them."""
    return " ".join(f"--{name}={str(value).lower()}" for name, value in options.items())


def without_unknown_flags(flags: str, jaxlib: str | None) -> str:
    """XLA_FLAGS without those of core_environment() that this jaxlib's XLA does not know.

    They were chosen by the jaxlib of the Python that started this worker, which may be another one.
    """
    known = quick_cpu_compilation(jaxlib)
    unknown = {name: value for name, value in quick_cpu_compilation("0").items() if name not in known}
    return " ".join(flag for flag in flags.split() if flag not in xla_flags(unknown).split())


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
        variables["XLA_FLAGS"] += f" {xla_flags(quick_cpu_compilation(jaxlib_version()))}"
    return variables


def load() -> Backend:
    """Import jax and make the backend."""
    if "XLA_FLAGS" in os.environ:
        os.environ["XLA_FLAGS"] = without_unknown_flags(os.environ["XLA_FLAGS"], jaxlib_version())
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
