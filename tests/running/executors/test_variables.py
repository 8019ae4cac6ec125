"""What a worker finds in its environment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.contracts import BackendEntry
from benchsuite.running.executors.variables import (
    TUNED_MALLOC,
    glibc_tunables,
    glibc_version,
    worker_variables,
)
from benchsuite.schema import Execution
from benchsuite_numpy.reference import ReferenceBackend

TUNED = ":".join(TUNED_MALLOC)


@pytest.mark.parametrize(
    ("allocator", "inherited", "expected"),
    [
        ("default", "", ""),
        ("tuned", "", TUNED),
        ("default", "glibc.malloc.mmap_max=0", ""),
        ("tuned", "glibc.malloc.mmap_max=7", TUNED),
        ("default", "glibc.rtld.nns=4:glibc.malloc.arena_max=1", "glibc.rtld.nns=4"),
        ("tuned", "glibc.rtld.nns=4", f"glibc.rtld.nns=4:{TUNED}"),
    ],
)
def test_the_allocator_is_the_trials_whatever_the_shell_says(
    allocator: str, inherited: str, expected: str
) -> None:
    assert glibc_tunables(allocator, {"GLIBC_TUNABLES": inherited}) == expected
    if not inherited:
        assert glibc_tunables(allocator, {}) == expected


@pytest.mark.parametrize("core", [False, True])
def test_the_core_kit_has_variables_of_its_own_where_a_backend_gives_any(core: bool) -> None:
    entry = BackendEntry("b", ReferenceBackend, "for tests", (), None, lambda e: {"MINE": e.precision})
    assert worker_variables(entry, Execution(), core)["MINE"] == "float32"
    quick = replace(entry, core_environment=lambda e: {"MINE": f"quick {e.precision}"})
    assert worker_variables(quick, Execution(), core)["MINE"] == ("quick float32" if core else "float32")


def test_threads_and_the_backends_own_variables() -> None:
    entry = BackendEntry(
        "b",
        ReferenceBackend,
        "for tests",
        (),
        None,
        environment=lambda e: {"MINE": e.precision, "MKL_NUM_THREADS": "9"},
    )
    found = worker_variables(entry, Execution(threads=3, precision="float64", allocator="tuned"))
    assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "3"
    assert (found["MINE"], found["MKL_NUM_THREADS"]) == ("float64", "9")
    assert found["PYTHONHASHSEED"] == "0"
    assert ("GLIBC_TUNABLES" in found) == (glibc_version() is not None)
