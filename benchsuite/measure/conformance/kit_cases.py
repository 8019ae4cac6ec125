"""Cases of a kit as tests of pytest: their names, and how one is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchsuite.contracts import Backend
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.diagnosis import explain
from benchsuite.measure.conformance.suite import KitItem, claimed, run_item
from benchsuite.plugins import load_backend, registry
from benchsuite.schema import Execution


@dataclass(frozen=True)
class KitCase:
    """One item of a kit, in one backend under one execution."""

    backend: str
    execution: Execution
    item: KitItem

    @property
    def id(self) -> str:
        """`gradients[lstm-plain]-dynamic-float64`."""
        return f"{self.item.name}-{self.execution.unroll}-{self.execution.precision}"

    def run(self, precisions: Sequence[str]) -> None:
        """Run it, or its stand-ins where the backend says that it does not support it; skips where there are
        none. Raises what failed, with notes that say where it begins and the smallest input that shows it.

        :param precisions: of all cases of this process, as JAX reads before its import whether float64 is one.
        """
        import pytest

        kit = Kit(backend_here(self.backend, "float64" in precisions), load_reference(), self.execution)
        try:
            results = [run_item(kit, item) for item in claimed(kit, [self.item])]
            for result in results:
                if result.error is not None:
                    raise self._explained(kit, result.item, result.error)
            if all(result.status == "unsupported" for result in results):
                pytest.skip(results[0].message)
        finally:
            kit.backend.release()

    def _explained(self, kit: Kit, item: KitItem, error: Exception) -> Exception:
        found = explain(kit, item, error)
        for word, text in (("begins at", found.begins), ("smallest", found.smallest)):
            if text:
                error.add_note(f"{word}: {text}")
        return error


@cache
def backend_here(name: str, double: bool) -> Backend:
    """The backend in this process. :param double: some case is in float64."""
    return load_backend(name, Execution(precision="float64" if double else "float32"))


@cache
def load_reference() -> Backend:
    """The implementation that parity is checked against."""
    return registry().reference().load_reference()


def parametrised(metafunc: Any, fixture: str, cases: Sequence[Any], ids: Sequence[str]) -> None:
    """Make a test of each case, where the test function has the argument `fixture`."""
    if fixture in metafunc.fixturenames:
        metafunc.parametrize(fixture, cases, ids=ids)
