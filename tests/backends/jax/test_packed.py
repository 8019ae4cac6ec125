"""Sequences packed into rows, in JAX: each has what a row of its own has in the reference."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from fixtures.packed import FEW, hold_packed

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
)  # many small programs: compiling them is the whole cost
jax = pytest.importorskip("jax")

from benchsuite_jax.backend import JaxBackend  # noqa: E402

pytestmark = pytest.mark.usefixtures("example_cells")


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("cell", FEW)
def test_a_loop(cell: str) -> None:
    hold_packed(JaxBackend(), cell, "dynamic")


def test_an_unrolled_graph() -> None:
    hold_packed(JaxBackend(), "lstm", "static")


@pytest.mark.parametrize("cell", ["rotation", "opening", "mingru"])
def test_a_scan(cell: str) -> None:
    hold_packed(JaxBackend(), cell, "scan")
