"""BackendKit: the conformance kit of a backend as a class of tests, for authors of backends to inherit."""

from __future__ import annotations

from typing import Any, ClassVar

from benchsuite.errors import UnknownNameError
from benchsuite.measure.conformance.backend import ConformanceError, Kit
from benchsuite.measure.conformance.kit_cases import KitCase, backend_here, load_reference, parametrised
from benchsuite.measure.conformance.suite import claimed, suite
from benchsuite.plugins import registry
from benchsuite.schema import UNROLLS, Execution


class BackendKit:
    """Inherit it in a test module and set `name`; every case is a test of its own, called
    `test_case[gradients[lstm-plain]-dynamic-float64]`. What the backend says it does not support is skipped
    with its reason, but in each precision something must be supported.

    name        the backend, whose plugin is installed
    core        each rule once, on few models; False: every case
    precisions  precisions; unrolls: unrolls; device: a device of the backend

    JAX computes in float64 only where JAX_ENABLE_X64 is set before it is imported: the kit sets it where
    float64 is among the precisions, so run it before anything else imports jax, or in a process of its own.
    """

    name: ClassVar[str]
    core: ClassVar[bool] = True
    precisions: ClassVar[tuple[str, ...]] = ("float64", "float32")
    unrolls: ClassVar[tuple[str, ...]] = tuple(UNROLLS)
    device: ClassVar[str] = "cpu"

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Called by pytest: a test for each case."""
        cases = self._cases() if "kit_case" in metafunc.fixturenames else []
        parametrised(metafunc, "kit_case", cases, [case.id for case in cases])
        parametrised(metafunc, "precision", self.precisions, self.precisions)

    def test_case(self, kit_case: KitCase) -> None:
        kit_case.run(self.precisions)

    def test_device(self) -> None:
        devices = [device.name for device in backend_here(self.name, "float64" in self.precisions).devices()]
        if self.device not in devices:
            raise UnknownNameError(f"device of {self.name}", self.device, devices)

    def test_something_is_supported(self, precision: str) -> None:
        backend = backend_here(self.name, "float64" in self.precisions)
        reasons = set()
        for execution in self._executions():
            kit = Kit(backend, load_reference(), execution)
            for item in claimed(kit, suite(self.core) if execution.precision == precision else []):
                reason = kit.supports(item.case)
                if reason is None:
                    return
                reasons.add(reason)
        raise ConformanceError(f"{self.name} supports no case in {precision}: {'; '.join(sorted(reasons))}")

    def _cases(self) -> list[KitCase]:
        registry().backend(self.name)
        return [
            KitCase(self.name, execution, item)
            for execution in self._executions()
            for item in suite(self.core)
        ]

    def _executions(self) -> list[Execution]:
        return [
            Execution.model_validate({"unroll": unroll, "precision": precision, "device": self.device})
            for precision in self.precisions
            for unroll in self.unrolls
        ]
