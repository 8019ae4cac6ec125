"""Sequences packed into rows, in PyTorch: each has what a row of its own has in the reference."""

from __future__ import annotations

import pytest
from fixtures.packed import AFFINE, CELLS, hold_packed

from benchsuite_torch.backend import TorchBackend

pytestmark = pytest.mark.usefixtures("example_cells")


@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_loop(cell: str, unroll: str) -> None:
    hold_packed(TorchBackend(), cell, unroll)


@pytest.mark.parametrize("cell", AFFINE)
def test_a_scan(cell: str) -> None:
    hold_packed(TorchBackend(), cell, "scan")


@pytest.mark.parametrize("cell", ["lstm", "mingru"])
def test_single_precision(cell: str) -> None:
    hold_packed(TorchBackend(), cell, "dynamic", "float32")
