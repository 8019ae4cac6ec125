"""Sequences packed into rows, in TensorFlow: each has what a row of its own has in the reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fixtures.packed import FEW, hold_packed

from benchsuite.contracts import Backend
from benchsuite.plugins import registry

pytestmark = pytest.mark.usefixtures("example_cells", "plain_graphs")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    found = registry().backend("tensorflow").load()
    yield found
    found.release()


@pytest.mark.parametrize("cell", FEW)
def test_a_loop(backend: Backend, cell: str) -> None:
    hold_packed(backend, cell, "dynamic")


def test_an_unrolled_graph(backend: Backend) -> None:
    hold_packed(backend, "lstm", "static")


@pytest.mark.parametrize("cell", ["rotation", "opening", "mingru"])
def test_a_scan(backend: Backend, cell: str) -> None:
    hold_packed(backend, cell, "scan")
