"""Which of XLA's options are asked for, by the version of jaxlib."""

from __future__ import annotations

import pytest

from benchsuite.schema import Execution
from benchsuite_jax import (
    CPU_COMPILATION,
    cpu_compilation,
    jaxlib_version,
    quick_cpu_compilation,
    without_unknown_flags,
    xla_flags,
)

LEVEL = {"xla_backend_optimization_level": 0}
EMITTERS = {"xla_cpu_use_fusion_emitters": False}


@pytest.mark.parametrize(
    ("jaxlib", "expected"),
    [
        ("0.8.0", LEVEL | EMITTERS),
        ("0.10.2", LEVEL | EMITTERS),
        ("0.11.0", LEVEL | EMITTERS),
        ("0.12.0", LEVEL),
        ("0.12.0.1", LEVEL),
        ("0.13.0.dev20270101", LEVEL),
        ("1.0.0", LEVEL),
        (None, LEVEL),
    ],
)
def test_an_option_that_this_xla_lacks_is_not_asked_for(
    jaxlib: str | None, expected: dict[str, int | bool]
) -> None:
    assert quick_cpu_compilation(jaxlib) == expected


def test_a_flag_of_the_user_stands_above_the_backends_own_choice() -> None:
    assert cpu_compilation("--xla_dump_to=/nowhere") == CPU_COMPILATION
    assert cpu_compilation("--xla_backend_optimization_level=3 -xla_cpu_max_isa=AVX2") == {}


def test_flags_are_spelt_as_xla_reads_them() -> None:
    flags = xla_flags(quick_cpu_compilation("0.10.2"))
    assert flags == "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"


@pytest.mark.parametrize(
    ("jaxlib", "expected"),
    [
        ("0.10.2", "--mine=1 --xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"),
        ("0.12.0", "--mine=1 --xla_backend_optimization_level=0"),
    ],
)
def test_a_worker_drops_what_the_jaxlib_of_another_python_knew(jaxlib: str, expected: str) -> None:
    given = f"--mine=1 {xla_flags(quick_cpu_compilation('0.10.2'))}"
    assert without_unknown_flags(given, jaxlib) == expected


def test_the_installed_xla_takes_every_option() -> None:
    jax = pytest.importorskip("jax")
    from benchsuite_jax.runtime import compiler_options

    assert jaxlib_version() == jax.lib.__version__
    lowered = jax.jit(lambda x: 2 * x).lower(1.0)
    for options in (quick_cpu_compilation(jaxlib_version()), compiler_options(Execution())):
        assert lowered.compile(dict(options))(3.0) == 6


def test_what_is_not_named_is_left_to_xla() -> None:
    pytest.importorskip("jax")
    from benchsuite_jax import runtime

    assert runtime.compiler_options(Execution()) == runtime.CPU_COMPILATION
    assert runtime.compiler_options(Execution(device="gpu")) == {}
