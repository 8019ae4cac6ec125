"""Programs that queue their work, as an accelerator does: one that waits for it and one that forgets to."""

from __future__ import annotations

import queue
import threading
import time

from tiny import program

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.spec import ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceProgram

WORK_SECONDS = 0.002


class QueueingProgram(ReferenceProgram):
    """Hands every step to a thread, as an accelerator's queue does; reading values back waits for it."""

    waits = True

    def start(self) -> None:
        self.work: queue.Queue[Batch | None] = queue.Queue()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.work.put(None)
        self.thread.join()

    def _serve(self) -> None:
        while (batch := self.work.get()) is not None:
            time.sleep(WORK_SECONDS)
            ReferenceProgram.step(self, batch)
            self.work.task_done()

    def step(self, placed: object) -> None:
        assert isinstance(placed, Batch)
        self.work.put(placed)

    def parameters(self) -> Parameters:
        self.work.join()
        return super().parameters()

    def synchronize(self) -> None:
        if self.waits:
            self.work.join()


class ForgetfulProgram(QueueingProgram):
    """Its synchronize() forgets to wait."""

    waits = False


def queueing(kind: type[QueueingProgram], model: ModelSpec, recipe: Recipe) -> QueueingProgram:
    """A started program of either kind; stop() it."""
    made = kind(model, program(model, recipe).parameters(), recipe, "float64")
    made.start()
    return made
