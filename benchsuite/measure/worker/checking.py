"""The checks of backends, tasks and cells, inside a worker."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.contracts import Backend
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cell_models import cell_items, reference_items
from benchsuite.measure.conformance.cells import CELL_CHECKS, CellCheck
from benchsuite.measure.conformance.suite import KitItem, run_item, run_suite, suite
from benchsuite.measure.conformance.tasks import check_task
from benchsuite.measure.worker.channel import (
    CaseResult,
    CaseStarted,
    CheckBackend,
    CheckCell,
    CheckTask,
    Tell,
)
from benchsuite.measure.worker.installed import check_task_installed
from benchsuite.plugins import registry
from benchsuite.schema import Execution
from benchsuite.schema.texts import MOST_TRACE, capped, described


def check_backend(backend: Backend, reference: Backend, asked: CheckBackend, tell: Tell) -> int:
    """Run the conformance kit on `backend`. Tells of every case; returns how many there were."""
    return _run(backend, reference, asked, suite(asked.core), tell)


def check_cell_models(backend: Backend, reference: Backend, asked: CheckCell, tell: Tell) -> int:
    """Check models of a cell in `backend`. Tells of every case; returns how many there were."""
    return _run(backend, reference, asked, cell_items(asked.cell), tell)


def _run(
    backend: Backend,
    reference: Backend,
    asked: CheckBackend | CheckCell,
    items: Sequence[KitItem],
    tell: Tell,
) -> int:
    def started(item: KitItem, execution: Execution) -> None:
        tell(CaseStarted(check=item.name, unroll=execution.unroll))

    results = run_suite(
        backend, reference, asked.precision, asked.unrolls, asked.device, items, on_start=started
    )
    number = 0
    for result in results:
        number += 1
        message = capped(result.message, MOST_TRACE)
        tell(
            CaseResult(
                check=result.item.name, unroll=result.execution.unroll, status=result.status, message=message
            )
        )
    return number


def check_cell_alone(reference: Backend, asked: CheckCell, tell: Tell) -> int:
    """Check a cell by itself, and its derivative in the reference. Tells of every property; returns how many
    there were."""
    registry()  # makes the cells of plugins known
    for check in CELL_CHECKS:
        name = check.__name__.removeprefix("check_")
        tell(CaseStarted(check=name))
        tell(_check_property(check, asked.cell, name))
    kit = Kit(reference, reference, Execution(precision="float64"))
    try:
        items = reference_items(asked.cell)
    except BenchsuiteError:  # the checks above have said why
        items = []
    for item in items:
        tell(CaseStarted(check=item.name))
        result = run_item(kit, item)
        message = capped(result.message, MOST_TRACE)
        tell(CaseResult(check=item.name, status=result.status, message=message))
    return len(CELL_CHECKS) + len(items)


def _check_property(check: CellCheck, cell: str, name: str) -> CaseResult:
    try:
        check(cell)
    except BenchsuiteError as error:
        return CaseResult(check=name, status="failed", message=capped(str(error), MOST_TRACE))
    except Exception as error:  # a plugin may fail in any way
        return CaseResult(check=name, status="failed", message=described(error))
    return CaseResult(check=name)


def check_sources(asked: CheckTask, tell: Tell) -> int:
    """Check a task on each of the sources asked for. Tells of every one; returns how many there were."""
    for source in asked.sources:
        name = f"{asked.task} {source}"
        tell(CaseStarted(check=name))
        tell(_check_source(asked.task, source, name))
    return len(asked.sources)


def _check_source(task: str, source: str, name: str) -> CaseResult:
    try:
        entry = registry().task(task)
        check_task_installed(entry, source)
        check_task(entry, source)
    except BenchsuiteError as error:
        return CaseResult(check=name, status="failed", message=capped(str(error), MOST_TRACE))
    except Exception as error:  # a plugin may fail in any way
        return CaseResult(check=name, status="failed", message=described(error))
    return CaseResult(check=name)
