"""The plugin is found, and its cell keeps benchsuite's contract."""

from __future__ import annotations

from benchsuite.plugins import registry
from benchsuite.pytest_plugin.kits import CellKit

from benchsuite_new_cell import NEW_CELL


class TestNewCell(CellKit):
    entry = NEW_CELL
    backends = ("numpy",)  # add "torch", "jax" or "tensorflow" where they are installed


def test_the_plugin_is_found() -> None:
    owner = registry().owners["cell:new_cell"]
    assert owner.distribution == "benchsuite-new-cell"
    assert not owner.problem
