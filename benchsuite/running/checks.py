"""Checks of a backend, a task or a cell, in workers of their own that may hang or die."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchsuite.contracts import BackendEntry, BackendInfo
from benchsuite.errors import RequestError, UnknownNameError, WorkerError
from benchsuite.measure.worker.channel import (
    CaseFailed,
    CaseId,
    CaseResult,
    CasesListed,
    CaseStarted,
    CheckBackend,
    CheckCell,
    CheckCommand,
    CheckTask,
    DescribeBackend,
    ListCases,
)
from benchsuite.plugins import registry
from benchsuite.running.executors.endings import Ended
from benchsuite.running.executors.keys import WorkerKey, worker_key
from benchsuite.running.executors.supervisor import WorkerProcess
from benchsuite.schema import Execution

CheckEvent = CaseStarted | CaseResult
WORKER = "benchsuite.measure.worker"

WORKER_START_SECONDS = 30.0
"""What a worker may take to start, beside the time that a case may take."""

MOST_LOST_CASES = 3
"""How many cases in a row may end the worker, before the rest is given up: each costs a start."""


@dataclass
class KitCheck:
    """A check of one plugin, under one precision: what would run, and running it.

    asked    what is asked of the worker
    key      the worker that is needed
    usable   (backend, device) that must be here, or None where no framework takes part
    timeout  seconds that loading the framework, and each case, may take; None for no limit
    module   what `python -m` runs as a worker
    """

    asked: CheckCommand
    key: WorkerKey
    usable: tuple[str, str] | None = None
    timeout: float | None = None
    module: str = WORKER
    left: list[CaseId] = field(default_factory=list)
    """What run() did not come to, once it is over."""
    _worker: WorkerProcess | None = None

    def list(self) -> CasesListed:
        """The cases in their order.

        Raises RequestError where the backend is not installed or has no such device, WorkerError where its
        framework cannot be loaded or its worker cannot be started.
        """
        worker = self._ready()
        seconds = None if self.timeout is None else self.timeout + WORKER_START_SECONDS
        answer = next(worker.ask(ListCases(of=self.asked), seconds))
        if isinstance(answer, Ended):
            self.close()
            raise WorkerError(f"the cases could not be listed: {worker.explain(answer)}")
        assert isinstance(answer, CasesListed)
        return answer

    def run(self, cases: Sequence[CaseId] | None = None) -> Iterator[CheckEvent]:
        """Run some cases, or all. Yields a CaseStarted and a CaseResult per case, as they come.

        A case in which the plugin hangs or dies has failed, and the others go on in a new worker; after
        MOST_LOST_CASES of them in a row the rest is left. Raises as list() does.
        """
        lost = 0
        try:
            self.left = list(self.list().cases if cases is None else cases)
            while self.left and lost < MOST_LOST_CASES:
                before = len(self.left)
                for event in self._some():
                    if isinstance(event, CaseResult):
                        self.left.remove(CaseId(check=event.check, unroll=event.unroll))
                    yield event
                if self._worker is None:
                    lost = lost + 1 if before - len(self.left) == 1 else 1
        finally:
            self.close()

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _ready(self) -> WorkerProcess:
        if self._worker is None:
            key = self.key
            self._worker = WorkerProcess(key.python, self.module, key.backend, dict(key.variables))
            try:
                if self.usable is not None:
                    _check_usable(self._worker, *self.usable, self.timeout)
            except BaseException:
                self.close()
                raise
        return self._worker

    def _some(self) -> Iterator[CheckEvent]:
        """Cases of self.left until all are done or the worker is lost, which is then None."""
        worker = self._ready()
        asked = self.asked.model_copy(update={"cases": tuple(self.left)})
        running: CaseStarted | None = None
        failed: CaseResult | None = None
        for answer in worker.ask(asked, self.timeout, per_answer=True):
            match answer:
                case CaseStarted():
                    running, failed = answer, None
                    yield answer
                case CaseFailed(result=result):
                    failed = result
                case CaseResult():
                    running = None
                    yield answer
                case Ended():
                    self.close()
                    if running is None:
                        raise WorkerError(f"the check ended early: {worker.explain(answer)}")
                    yield failed or CaseResult(
                        check=running.check,
                        unroll=running.unroll,
                        status="failed",
                        message=worker.explain(answer),
                        trace=worker.output_tail,
                    )
                    return
                case int():
                    if self.left:
                        names = ", ".join(case.check for case in self.left[:3])
                        raise WorkerError(f"the worker left out {len(self.left)} cases ({names} ...)")


def check_backend(
    name: str,
    execution: Execution,
    unrolls: Sequence[str],
    *,
    core: bool = False,
    timeout: float | None = None,
    python: str = sys.executable,
    backends: Mapping[str, BackendEntry] | None = None,
    module: str = WORKER,
) -> KitCheck:
    """The conformance kit on a backend.

    :param execution: its precision and device hold for every case. :param unrolls: each runs the whole kit.
    :param core: leave out what repeats a property on a further model.
    :param timeout: seconds that loading the framework, and each case, may take.
    :param python: the interpreter that the backend lives in.
    :param backends: the known ones, by default those of the installed plugins.
    :param module: what `python -m` runs as a worker.

    Raises UnknownNameError for another backend.
    """
    known = registry().backends if backends is None else backends
    asked = CheckBackend(
        precision=execution.precision, unrolls=tuple(unrolls), device=execution.device, core=core
    )
    key = worker_key(known, {name: python}, name, execution, core)
    return KitCheck(asked, key, (name, execution.device), timeout, module)


def check_task(
    name: str,
    sources: Sequence[str],
    *,
    download: bool = True,
    timeout: float | None = None,
    module: str = WORKER,
) -> KitCheck:
    """The check of a task, with a case for each of its `sources`.

    :param download: False: a source whose data are not on this machine is `absent`.
    :param timeout: seconds that one source may take. :param module: as in check_backend().
    """
    asked = CheckTask(task=name, sources=tuple(sources), download=download)
    return KitCheck(asked, _reference_key(sys.executable), None, timeout, module)


def check_cell(
    name: str, *, timeout: float | None = None, python: str = sys.executable, module: str = WORKER
) -> KitCheck:
    """The check of a cell by itself, with a case for each property.

    :param timeout: seconds that one property may take. :param module: as in check_backend().
    :param python: the interpreter that the reference lives in.
    """
    return KitCheck(CheckCell(cell=name), _reference_key(python), None, timeout, module)


def check_cell_models(
    name: str,
    backend: str,
    execution: Execution,
    unrolls: Sequence[str],
    *,
    timeout: float | None = None,
    python: str = sys.executable,
    backends: Mapping[str, BackendEntry] | None = None,
    module: str = WORKER,
) -> KitCheck:
    """The check of small models of a cell in a backend. Arguments and errors are those of check_backend()."""
    known = registry().backends if backends is None else backends
    asked = CheckCell(
        cell=name, precision=execution.precision, unrolls=tuple(unrolls), device=execution.device
    )
    key = worker_key(known, {backend: python}, backend, execution)
    return KitCheck(asked, key, (backend, execution.device), timeout, module)


def _reference_key(python: str) -> WorkerKey:
    reference = registry().reference()
    return worker_key({reference.name: reference}, {reference.name: python}, reference.name, Execution())


def _check_usable(worker: WorkerProcess, name: str, device: str, timeout: float | None) -> None:
    """Have the framework loaded. Raises RequestError or WorkerError where it cannot be checked here."""
    info = next(worker.ask(DescribeBackend(), timeout))
    if isinstance(info, Ended):
        raise WorkerError(f"the worker of backend {name!r} did not answer: {worker.explain(info)}")
    assert isinstance(info, BackendInfo)
    if info.problem:
        raise (WorkerError if info.broken else RequestError)(f"{name} cannot be checked: {info.problem}")
    if device not in info.devices:
        raise UnknownNameError(f"device of {name}", device, info.devices)
