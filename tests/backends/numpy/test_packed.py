"""Sequences packed into rows, in NumPy and in the reference: each has what a row of its own has."""

from __future__ import annotations

import pytest
from fixtures.packed import AFFINE, CELLS, hold_packed

from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.reference import ReferenceBackend

pytestmark = pytest.mark.usefixtures("example_cells")


@pytest.mark.parametrize("cell", CELLS)
def test_the_reference(cell: str) -> None:
    hold_packed(ReferenceBackend(), cell, "dynamic")


@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_loop(cell: str, unroll: str) -> None:
    hold_packed(NumpyBackend(), cell, unroll)


@pytest.mark.parametrize("cell", AFFINE)
def test_a_scan(cell: str) -> None:
    hold_packed(NumpyBackend(), cell, "scan")


@pytest.mark.parametrize("cell", ["lstm", "mingru"])
def test_single_precision(cell: str) -> None:
    hold_packed(NumpyBackend(), cell, "dynamic", "float32")
