"""Checks of a backend, a task or a cell, in a worker of its own that may hang or die."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from benchsuite.contracts import BackendEntry, BackendInfo
from benchsuite.errors import RequestError, UnknownNameError, WorkerError
from benchsuite.measure.worker.channel import (
    CaseResult,
    CaseStarted,
    CheckBackend,
    CheckCell,
    CheckTask,
    DescribeBackend,
)
from benchsuite.plugins import registry
from benchsuite.running.executors.endings import Ended
from benchsuite.running.executors.keys import worker_key
from benchsuite.running.executors.supervisor import WorkerProcess
from benchsuite.schema import Execution

CheckEvent = CaseStarted | CaseResult
WORKER = "benchsuite.measure.worker"


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
) -> Iterator[CheckEvent]:
    """Run the conformance kit on a backend. Yields a CaseStarted and a CaseResult per case, as they come.

    :param execution: its precision and device hold for every case. :param unrolls: each runs the whole kit.
    :param core: leave out what repeats a property on a further model.
    :param timeout: seconds that loading the framework, and each case, may take.
    :param python: the interpreter that the backend lives in.
    :param backends: the known ones, by default those of the installed plugins.
    :param module: what `python -m` runs as a worker.

    A case in which the backend hangs or dies is the last one, and has failed. Raises RequestError where the
    backend is not installed or has no such device, WorkerError where its framework cannot be loaded or the
    worker ends between two cases.
    """
    known = registry().backends if backends is None else backends
    asked = CheckBackend(
        precision=execution.precision, unrolls=tuple(unrolls), device=execution.device, core=core
    )
    key = worker_key(known, {name: python}, name, execution)
    with closing(WorkerProcess(python, module, name, dict(key.variables))) as worker:
        _check_usable(worker, name, execution.device, timeout)
        yield from _cases(worker, asked, timeout)


def check_task(
    name: str, sources: Sequence[str], *, timeout: float | None = None, module: str = WORKER
) -> Iterator[CheckEvent]:
    """Check a task on each of its `sources`. Yields a CaseStarted and a CaseResult per source, as they come.

    :param timeout: seconds that one source may take. :param module: as in check_backend().

    A source on which the task hangs or dies is the last one, and has failed.
    """
    reference = registry().reference()
    key = worker_key({reference.name: reference}, {}, reference.name, Execution())
    with closing(WorkerProcess(key.python, module, reference.name, dict(key.variables))) as worker:
        yield from _cases(worker, CheckTask(task=name, sources=tuple(sources)), timeout)


def check_cell(
    name: str, *, timeout: float | None = None, python: str = sys.executable, module: str = WORKER
) -> Iterator[CheckEvent]:
    """Check a cell by itself. Yields a CaseStarted and a CaseResult per property, as they come.

    :param timeout: seconds that one property may take. :param module: as in check_backend().
    :param python: the interpreter that the reference lives in.
    """
    reference = registry().reference()
    key = worker_key({reference.name: reference}, {reference.name: python}, reference.name, Execution())
    with closing(WorkerProcess(key.python, module, reference.name, dict(key.variables))) as worker:
        yield from _cases(worker, CheckCell(cell=name), timeout)


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
) -> Iterator[CheckEvent]:
    """Check small models of a cell in a backend. Arguments, answers and errors are those of check_backend()."""
    known = registry().backends if backends is None else backends
    asked = CheckCell(
        cell=name, precision=execution.precision, unrolls=tuple(unrolls), device=execution.device
    )
    key = worker_key(known, {backend: python}, backend, execution)
    with closing(WorkerProcess(python, module, backend, dict(key.variables))) as worker:
        _check_usable(worker, backend, execution.device, timeout)
        yield from _cases(worker, asked, timeout)


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


def _cases(
    worker: WorkerProcess, asked: CheckBackend | CheckTask | CheckCell, timeout: float | None
) -> Iterator[CheckEvent]:
    running: CaseStarted | None = None
    for answer in worker.ask(asked, timeout, per_answer=True):
        match answer:
            case CaseStarted():
                running = answer
                yield answer
            case CaseResult():
                running = None
                yield answer
            case Ended() if running is not None:
                message = f"{worker.explain(answer)}; what comes after it was not checked"
                yield CaseResult(check=running.check, unroll=running.unroll, status="failed", message=message)
            case Ended():
                raise WorkerError(f"the check ended early: {worker.explain(answer)}")
