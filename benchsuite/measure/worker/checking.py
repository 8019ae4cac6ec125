"""The checks of backends, tasks and cells, inside a worker: a list of cases, each run by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchsuite.contracts import Backend
from benchsuite.data.cache import without_downloads
from benchsuite.errors import BenchsuiteError, MissingFrameworkError, NotDownloadedError
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cell_models import cell_items, reference_items
from benchsuite.measure.conformance.cells import CELL_CHECKS
from benchsuite.measure.conformance.diagnosis import explain
from benchsuite.measure.conformance.failures import plugin_place, source_files
from benchsuite.measure.conformance.suite import KitItem, KitResult, claimed, run_item, suite
from benchsuite.measure.conformance.tasks import check_task
from benchsuite.measure.provenance import kit_fingerprint
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
    Tell,
)
from benchsuite.measure.worker.installed import check_task_installed
from benchsuite.plugins import registry
from benchsuite.schema import Execution
from benchsuite.schema.texts import MOST_REASON, MOST_TRACE, capped, described, traced


class Checker(Protocol):
    """What a worker offers to its checks."""

    name: str

    def load_backend(self) -> tuple[Backend, float]: ...
    def load_reference(self) -> Backend: ...


class _AbsentError(BenchsuiteError):
    """What a case needs is not on this machine."""


@dataclass(frozen=True)
class Job:
    """One case: `run` gives its result and never raises for a fault of the plugin.

    explain  given the result of a failed case, adds where the failure begins and the smallest input that shows
             it; None where there is nothing to add
    program  what the case's programs are built for; cases of one program may share what is compiled for it
    release  frees what cases of this program used
    """

    case: CaseId
    run: Callable[[], CaseResult]
    explain: Callable[[CaseResult], CaseResult] | None = None
    program: Hashable = None
    release: Callable[[], None] | None = None


def list_cases(session: Checker, asked: CheckCommand) -> CasesListed:
    """The cases of a check in the order in which they would run."""
    cases = tuple(job.case for job in _jobs(session, asked))
    return CasesListed(cases=cases, fingerprint=_fingerprint(session, asked))


def run_check(session: Checker, asked: CheckCommand, tell: Tell) -> int:
    """Run the cases asked for, telling of each as it begins and ends; returns how many there were."""
    chosen = None if asked.cases is None else set(asked.cases)
    number, last = 0, None
    for job in _jobs(session, asked):
        if chosen is not None and job.case not in chosen:
            continue
        if last is not None and last.program != job.program:
            _release(last)
        last = job
        number += 1
        tell(CaseStarted(check=job.case.check, unroll=job.case.unroll))
        begun = time.perf_counter()
        result = job.run().model_copy(update={"seconds": time.perf_counter() - begun})
        if result.status == "failed" and job.explain is not None:
            tell(CaseFailed(result=result))  # kept, should the explanation hang or end this process
            result = job.explain(result)
        tell(result)
    if last is not None:
        _release(last)
    return number


def _release(job: Job) -> None:
    if job.release is not None:
        job.release()


def _jobs(session: Checker, asked: CheckCommand) -> Iterator[Job]:
    match asked:
        case CheckBackend():
            backend, reference = session.load_backend()[0], session.load_reference()
            for unroll in asked.unrolls:
                execution = _execution(asked, unroll)
                kit = Kit(backend, reference, execution)
                items = list(claimed(kit, suite(asked.core)))
                yield from _kit_jobs(kit, items, _backend_files(session.name))
        case CheckTask():
            for source in asked.sources:
                yield _source_job(asked, source)
        case CheckCell(unrolls=()):
            yield from _cell_jobs(session, asked.cell)
        case CheckCell():
            backend, reference = session.load_backend()[0], session.load_reference()
            registry()  # makes the cells of plugins known
            files = _backend_files(session.name) | source_files(registry().cell(asked.cell).load)
            for unroll in asked.unrolls:
                kit = Kit(backend, reference, _execution(asked, unroll))
                yield from _kit_jobs(kit, cell_items(asked.cell), files)


def _execution(asked: CheckBackend | CheckCell, unroll: str) -> Execution:
    return Execution.model_validate({"unroll": unroll, "precision": asked.precision, "device": asked.device})


def _kit_jobs(kit: Kit, items: list[KitItem], files: frozenset[Path]) -> Iterator[Job]:
    """A job for each item. The first failure of each check is explained: the others mostly have its cause."""
    explained: set[str] = set()
    for item in items:
        yield _kit_job(kit, item, files, explained)


def _kit_job(kit: Kit, item: KitItem, files: frozenset[Path], explained: set[str]) -> Job:
    unroll = kit.execution.unroll
    errors: list[Exception] = []

    def run() -> CaseResult:
        found = run_item(kit, item)
        if found.error is not None:
            errors[:] = [found.error]
        return _kit_result(found, unroll, files)

    def added(result: CaseResult) -> CaseResult:
        check = item.name.partition("[")[0]
        if check in explained:
            return result
        explained.add(check)
        found = explain(kit, item, errors[0])
        place = result.place or plugin_place(found.error, files)
        return result.model_copy(
            update={
                "begins": capped(found.begins, MOST_REASON),
                "smallest": capped(found.smallest, MOST_REASON),
                "place": place or found.place(files),
            }
        )

    program = (unroll, *item.program)
    return Job(CaseId(check=item.name, unroll=unroll), run, added, program, kit.backend.release)


def _kit_result(found: KitResult, unroll: str, files: frozenset[Path]) -> CaseResult:
    return CaseResult(
        check=found.item.name,
        unroll=unroll,
        status=found.status,
        message=capped(found.message, MOST_TRACE),
        place=plugin_place(found.error, files),
        trace="" if found.error is None else traced(found.error),
    )


def _cell_jobs(session: Checker, cell: str) -> Iterator[Job]:
    """The properties of a cell by itself, and its derivative in the reference."""
    registry()  # makes the cells of plugins known
    files = source_files(registry().cell(cell).load)
    for check in CELL_CHECKS:
        name = check.__name__.removeprefix("check_")
        yield _guarded_job(name, lambda check=check: check(cell), files)  # type: ignore[misc]
    try:
        items = reference_items(cell)
    except BenchsuiteError:  # the checks above have said why
        return
    reference = session.load_reference()
    kit = Kit(reference, reference, Execution(precision="float64"))
    for item in items:
        yield Job(
            CaseId(check=item.name),
            lambda item=item: _kit_result(run_item(kit, item), "", files),  # type: ignore[misc]
        )


def _source_job(asked: CheckTask, source: str) -> Job:
    entry = registry().task(asked.task)

    def check() -> None:
        if asked.download:
            check_task_installed(entry, source)
            check_task(entry, source)
            return
        try:
            check_task_installed(entry, source)
        except MissingFrameworkError as error:
            raise _AbsentError(str(error)) from error
        with without_downloads():
            try:
                check_task(entry, source)
            except NotDownloadedError as error:
                raise _AbsentError(f"{error}; `benchsuite data fetch {entry.name}` brings it") from error

    return _guarded_job(f"{asked.task} {source}", check, source_files(entry.load))


def _guarded_job(name: str, check: Callable[[], None], files: frozenset[Path]) -> Job:
    """A job that calls `check`, which raises where something is wrong."""

    def run() -> CaseResult:
        try:
            check()
        except _AbsentError as error:
            return CaseResult(check=name, status="absent", message=str(error))
        except Exception as error:  # a plugin may fail in any way
            told = str(error) if isinstance(error, BenchsuiteError) else described(error)
            return CaseResult(
                check=name,
                status="failed",
                message=capped(told, MOST_TRACE),
                place=plugin_place(error, files),
                trace=traced(error),
            )
        return CaseResult(check=name)

    return Job(CaseId(check=name), run)


def _backend_files(name: str) -> frozenset[Path]:
    return source_files(registry().backend(name).load)


def _fingerprint(session: Checker, asked: CheckCommand) -> str:
    found = registry()
    reference = found.reference()
    match asked:
        case CheckBackend():
            return kit_fingerprint(found.backend(session.name), reference)
        case CheckTask(task=task):
            return kit_fingerprint(found.task(task), reference)
        case CheckCell(cell=cell):
            return kit_fingerprint(found.cell(cell), found.backend(session.name), reference)
