"""The environment variables of a worker: everything a framework reads before or while it is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping

from benchsuite.contracts import BackendEntry
from benchsuite.errors import ContractError
from benchsuite.schema import Execution

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)

TUNED_MALLOC = (
    "glibc.malloc.hugetlb=1",
    "glibc.malloc.mmap_max=0",
    "glibc.malloc.trim_threshold=17179869184",
    "glibc.malloc.top_pad=67108864",
)
"""Large blocks stay with the process instead of going back to the system at every training step."""


def worker_variables(entry: BackendEntry, execution: Execution, core: bool = False) -> dict[str, str]:
    """Variables that a worker of `entry` needs for `execution`, on top of the parent's environment.

    :param core: the worker is for the core of the conformance kit, so BackendEntry.core_environment counts.

    Raises ContractError where the backend gives anything but texts.
    """
    variables = {name: str(execution.threads) for name in THREAD_VARIABLES}
    variables["PYTHONHASHSEED"] = "0"
    if glibc_version() is not None:
        variables["GLIBC_TUNABLES"] = glibc_tunables(execution.allocator, os.environ)
    asked = (entry.core_environment if core else None) or entry.environment
    given = asked(execution)
    if not isinstance(given, Mapping):
        raise ContractError(f"environment() gave {type(given).__name__}, not a mapping of texts")
    for name, value in given.items():
        if not (_is_text(name) and _is_text(value)) or not name or "=" in name:
            raise ContractError(
                f"environment() gave {name!r}: {value!r}; names and values of variables are texts without NUL"
            )
    return {**variables, **given}


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def glibc_tunables(allocator: str, inherited: Mapping[str, str]) -> str:
    """GLIBC_TUNABLES for an allocator setting: the inherited ones, but of malloc's only ours."""
    parts = [part for part in inherited.get("GLIBC_TUNABLES", "").split(":") if part]
    kept = [part for part in parts if not part.startswith("glibc.malloc.")]
    return ":".join(kept + (list(TUNED_MALLOC) if allocator == "tuned" else []))


def glibc_version() -> str | None:
    """The version of the GNU C library, or None where the C library is another one."""
    try:
        answer = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        return None
    return answer.split()[-1] if answer else None
