"""Sequences packed into rows, in JAX: each has what a row of its own has in the reference."""

from __future__ import annotations

import pytest
from fixtures.packed import FEW, hold_packed

jax = pytest.importorskip("jax")

from benchsuite_jax.backend import JaxBackend  # noqa: E402

pytestmark = pytest.mark.usefixtures("example_cells", "double_precision")


@pytest.mark.parametrize("cell", FEW)
def test_a_loop(cell: str) -> None:
    hold_packed(JaxBackend(), cell, "dynamic")


def test_an_unrolled_graph() -> None:
    hold_packed(JaxBackend(), "lstm", "static")


@pytest.mark.parametrize("cell", ["rotation", "opening", "mingru"])
def test_a_scan(cell: str) -> None:
    hold_packed(JaxBackend(), cell, "scan")
