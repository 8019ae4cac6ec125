"""The table of cells: what is registered is known, and forgotten after."""

from __future__ import annotations

import pytest
from fixtures.cells import EXAMPLE_CELLS, registered

from benchsuite.errors import ContractError
from benchsuite.schema.cells import BUILTIN_CELLS, AffineCell, cell_named, known_cells


def test_registered_cells_are_known_beside_the_built_in_ones(example_cells: dict[str, object]) -> None:
    assert set(known_cells()) >= {*BUILTIN_CELLS, *example_cells}
    assert type(cell_named("lstm_generic")) is type(cell_named("lstm"))
    for name in ("decay", "rotation", "opening"):
        assert isinstance(cell_named(name), AffineCell)


def test_a_forgotten_cell_is_not_known() -> None:
    with registered(EXAMPLE_CELLS["shown"]):
        assert cell_named("shown").parameters(2, 3)
    with pytest.raises(ContractError, match="unknown cell"):
        cell_named("shown")
