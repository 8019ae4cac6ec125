"""CellKit: the conformance kit of a cell as a class of tests, for authors of cells to inherit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

from benchsuite.measure.conformance import cells
from benchsuite.measure.conformance.backend import ConformanceError, Kit
from benchsuite.measure.conformance.cell_models import cell_items, reference_items
from benchsuite.measure.conformance.kit_cases import KitCase, backend_here, load_reference, parametrised
from benchsuite.plugins import is_installed, registry
from benchsuite.schema import Execution
from benchsuite.schema.cells import CellEntry, forget_cell, known_cells, register_cell


class CellKit:
    """Inherit it in a test module and set `entry`; pytest runs its methods. Each raises ConformanceError or
    ContractError that says what the cell does and what it should do. Every model in a backend is a test of its
    own, called `test_model[numpy-gradients[mine-plain]-dynamic-float64]`.

    entry       the cell; it need not be installed
    backends    names of the backends that run its models, by default all that are installed
    precisions  precisions of their runs; unrolls: their unrolls. What a backend says it does not support is
                left out, but at least one model must run in each backend and precision

    JAX computes in float64 only where JAX_ENABLE_X64 is set before it is imported: the kit sets it, so run it
    before anything else imports jax, or in a process of its own.
    """

    entry: ClassVar[CellEntry]
    backends: ClassVar[tuple[str, ...]] = ()
    precisions: ClassVar[tuple[str, ...]] = ("float64", "float32")
    unrolls: ClassVar[tuple[str, ...]] = ("dynamic", "static", "scan")

    @classmethod
    def setup_class(cls) -> None:
        """Make the cell known, if its plugin is not installed."""
        registry()
        register_cell(cls.entry)

    @classmethod
    def teardown_class(cls) -> None:
        """Forget it again."""
        if cls.entry.name not in registry().cells:
            forget_cell(cls.entry.name)

    def test_declarations(self) -> None:
        cells.check_declarations(self.entry.name)

    def test_initial_values(self) -> None:
        cells.check_initial_values(self.entry.name)

    def test_operations(self) -> None:
        cells.check_operations(self.entry.name)

    def test_rows(self) -> None:
        cells.check_rows(self.entry.name)

    def test_no_memory(self) -> None:
        cells.check_no_memory(self.entry.name)

    def test_begins(self) -> None:
        cells.check_begins(self.entry.name)

    def test_hidden(self) -> None:
        cells.check_hidden(self.entry.name)

    def test_affine(self) -> None:
        cells.check_affine(self.entry.name)

    def test_small_and_large(self) -> None:
        cells.check_small_and_large(self.entry.name)

    def test_long_lags(self) -> None:
        cells.check_long_lags(self.entry.name)

    def test_products(self) -> None:
        cells.check_products(self.entry.name)

    def test_finite_differences(self) -> None:
        reference = load_reference()
        kit = Kit(reference, reference, Execution(precision="float64"))
        for item in reference_items(self.entry.name):
            item.check(kit, item.case)

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Called by pytest: a test for each model in each backend, unroll and precision."""
        cases = self._cases() if "kit_case" in metafunc.fixturenames else []
        parametrised(metafunc, "kit_case", cases, [f"{case.backend}-{case.id}" for case in cases])
        places = list(itertools.product(self._backends(), self.precisions))
        parametrised(metafunc, "place", places, ["-".join(place) for place in places])

    def test_model(self, kit_case: KitCase) -> None:
        """A small model of the cell in a backend: parity, padding, companions, truncation, carried states,
        decoders."""
        kit_case.run(self.precisions)

    def test_something_is_supported(self, place: tuple[str, str]) -> None:
        """At least one model runs in each backend and precision."""
        name, precision = place
        backend, reasons = backend_here(name, "float64" in self.precisions), set()
        for case in self._cases():
            if (case.backend, case.execution.precision) == place:
                reason = Kit(backend, load_reference(), case.execution).supports(case.item.case)
                if reason is None:
                    return
                reasons.add(reason)
        raise ConformanceError(f"{name} {precision}: nothing could be run: {'; '.join(sorted(reasons))}")

    def _backends(self) -> tuple[str, ...]:
        return self.backends or tuple(installed_backends())

    def _cases(self) -> list[KitCase]:
        known = self.entry.name in known_cells()
        if not known:  # pytest asks for the cases before setup_class()
            self.setup_class()
        try:
            items = cell_items(self.entry.name)
        finally:
            if not known:
                self.teardown_class()
        return [
            KitCase(name, Execution.model_validate({"unroll": unroll, "precision": precision}), item)
            for name in self._backends()
            for precision in self.precisions
            for unroll in self.unrolls
            for item in items
        ]


def installed_backends() -> Iterator[str]:
    """Names of the backends whose framework is installed."""
    for entry in registry().backends.values():
        if all(map(is_installed, entry.requirements)):
            yield entry.name
