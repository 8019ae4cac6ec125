"""CellKit, inherited as an author of cells inherits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.cells import EXAMPLE_CELLS, DecayCell, entry

from benchsuite.errors import BenchsuiteError
from benchsuite.measure.conformance.cell_kit import CellKit, installed_backends
from benchsuite.measure.conformance.cells import CELL_CHECKS
from benchsuite.schema.cells import known_cells


class TestASoundCell(CellKit):
    entry = EXAMPLE_CELLS["rotation"]
    backends = ("numpy",)


def test_the_kit_has_a_test_for_each_check() -> None:
    checks = {check.__name__.removeprefix("check_") for check in CELL_CHECKS}
    tests = {name.removeprefix("test_") for name in vars(CellKit) if name.startswith("test_")}
    assert tests == checks | {"finite_differences", "model", "something_is_supported"}


class RootOfZero(DecayCell):
    """Its output has an infinite slope at a state of zero."""

    def output(self, xp: Any, w: Any, u: Any, state: Any) -> Any:  # noqa: ARG002
        return xp.sqrt(xp.relu(state[0] - 100))


class BrokenKit(CellKit):
    """pytest does not collect it: its name does not begin with Test."""

    entry = entry("rooted", RootOfZero)
    backends = ("numpy",)
    precisions = ("float64",)
    unrolls = ("dynamic",)


@pytest.fixture
def broken() -> Iterator[BrokenKit]:
    BrokenKit.setup_class()
    yield BrokenKit()
    BrokenKit.teardown_class()


def test_each_model_is_a_test_and_one_that_fails_says_where(broken: BrokenKit) -> None:
    cases = {case.id: case for case in broken._cases()}
    assert len(cases) > 20
    case = cases["gradients[rooted-plain]-dynamic-float64"]
    with pytest.raises(BenchsuiteError) as raised:
        broken.test_model(case)
    assert any(note.startswith("smallest: ") for note in raised.value.__notes__)
    broken.test_something_is_supported(("numpy", "float64"))


class FusedKit(BrokenKit):
    """No backend has a kernel of it."""

    unrolls = ("fused",)


@pytest.mark.usefixtures("broken")
def test_a_backend_that_runs_nothing_is_no_success() -> None:
    with pytest.raises(BenchsuiteError, match="numpy float64: nothing could be run: "):
        FusedKit().test_something_is_supported(("numpy", "float64"))


def test_a_cell_that_is_not_installed_is_forgotten_after_its_tests() -> None:
    BrokenKit.setup_class()
    assert "rooted" in known_cells()
    BrokenKit.teardown_class()
    assert "rooted" not in known_cells()


def test_backends_are_those_whose_framework_is_here() -> None:
    assert "numpy" in set(installed_backends())
