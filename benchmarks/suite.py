"""The suite's own programs as contestants."""

from __future__ import annotations

from benchmarks.contestants import Contestant
from benchmarks.shapes import RECIPE, Shape
from benchmarks.unsupported import Unsupported
from benchsuite.contracts import why_unsupported
from benchsuite.errors import UnsupportedError
from benchsuite.measure.calibration import calibrated
from benchsuite.plugins import registry
from benchsuite.schema import BEST_UNROLL, Execution


class SuiteContestant(Contestant):
    """A backend's program, as a trial would build it; of unroll best the way that a calibration finds here."""

    def __init__(self, backend: str, execution: Execution, shape: Shape) -> None:
        loaded = registry().backends[backend].load()
        if reason := why_unsupported(loaded, shape.model(), RECIPE, execution):
            raise Unsupported(reason)
        try:
            entry = registry().backends[backend]
            if execution.unroll == BEST_UNROLL:
                given = entry, loaded, shape.model(), shape.parameters, RECIPE, execution, shape.data
                execution = calibrated(*given).way.execution
            self._way = f" ({execution.unroll} {execution.choices})"
            self._program = loaded.build(shape.model(), shape.parameters(), RECIPE, execution)
            self._placed = self._program.place(shape.data())
        except UnsupportedError as error:
            raise Unsupported(str(error)) from error

    @property
    def notes(self) -> str:  # type: ignore[override]
        return self._program.kernel() + self._way

    def step(self) -> None:
        self._program.step(self._placed)

    def loss(self) -> float:
        losses = self._program.drain().loss
        return float(losses[-1]) if len(losses) else float("nan")

    def predict(self) -> None:
        self._program.predict(self._placed)

    def synchronize(self) -> None:
        self._program.synchronize()
