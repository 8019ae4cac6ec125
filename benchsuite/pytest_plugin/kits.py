"""Conformance kits as classes of tests: inherit one in a test module, and pytest runs the kit on your plugin.

    from benchsuite.pytest_plugin.kits import BackendKit

    class TestMine(BackendKit):
        name = "mine"

`BackendKit` and `TaskKit` take the name of an installed plugin, `CellKit` a cell's entry. Every case is a test
of its own, so that `pytest -k` chooses cases and pytest-xdist may share them out.
"""

from benchsuite.measure.conformance.backend_kit import BackendKit
from benchsuite.measure.conformance.cell_kit import CellKit
from benchsuite.measure.conformance.task_kit import TaskKit

__all__ = ["BackendKit", "CellKit", "TaskKit"]
