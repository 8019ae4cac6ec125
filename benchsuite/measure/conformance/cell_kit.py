"""CellKit: the conformance kit of a cell as a class of tests, for authors of cells to inherit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from benchsuite.contracts import Backend
from benchsuite.measure.conformance import cells
from benchsuite.measure.conformance.backend import ConformanceError, Kit
from benchsuite.measure.conformance.cell_models import cell_items, reference_items
from benchsuite.measure.conformance.suite import run_item
from benchsuite.plugins import is_installed, load_backend, registry
from benchsuite.schema import Execution
from benchsuite.schema.cells import CellEntry, forget_cell, register_cell


class CellKit:
    """Inherit it in a test module and set `entry`; pytest runs its methods. Each raises ConformanceError or
    ContractError that says what the cell does and what it should do.

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

    def test_models(self) -> None:
        """Small models of the cell in each backend: parity, padding, companions,
        truncation, carried states, decoders."""
        failed: list[str] = []
        for name in self.backends or tuple(installed_backends()):
            backend = load_backend(name, Execution(precision="float64"))
            reference = load_reference()
            for precision in self.precisions:
                results = [
                    run_item(Kit(backend, reference, execution), item)
                    for execution in self._executions(precision)
                    for item in cell_items(self.entry.name)
                ]
                failed += [
                    f"{name} {result.execution.unroll} {precision} {result.item.name}: {result.message}"
                    for result in results
                    if result.status == "failed"
                ]
                if not any(result.status == "ok" for result in results) and not failed:
                    failed.append(f"{name} {precision}: nothing could be run: {results[0].message}")
                backend.release()
        if failed:
            raise ConformanceError("\n".join(failed))

    def _executions(self, precision: str) -> Iterator[Execution]:
        for unroll in self.unrolls:
            yield Execution.model_validate({"unroll": unroll, "precision": precision})


def load_reference() -> Backend:
    """The implementation that parity is checked against."""
    entry = registry().reference()
    return (entry.reference_load or entry.load)()


def installed_backends() -> Iterator[str]:
    """Names of the backends whose framework is installed."""
    for entry in registry().backends.values():
        if all(map(is_installed, entry.requirements)):
            yield entry.name
