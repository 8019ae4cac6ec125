"""How the tests of the JAX backend run: on the CPU, with programs that are compiled quickly, each test in the
precision that it asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchsuite_jax import jaxlib_version, quick_cpu_compilation, xla_flags

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# many small programs, each run a few times: compiling them is the whole cost
os.environ.setdefault("XLA_FLAGS", xla_flags(quick_cpu_compilation(jaxlib_version())))


@pytest.fixture(scope="module", autouse=True)
def _release_what_was_compiled() -> Iterator[None]:
    yield
    used = sys.modules.get("fixtures.jax_kit")
    if used is not None:
        used.BACKEND.release()


@contextmanager
def _computing(double: bool) -> Iterator[None]:
    """float64 allowed inside, or every real a float32."""
    import jax  # the modules of this folder are skipped where it is not installed

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", double)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.fixture
def double_precision() -> Iterator[None]:
    """JAX computes in float64."""
    with _computing(double=True):
        yield


@pytest.fixture
def single_precision() -> Iterator[None]:
    """JAX computes in float32, and makes float32 of what it is given in float64."""
    with _computing(double=False):
        yield


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both precisions, one after the other."""
    with _computing(double=request.param == "float64"):
        yield request.param
