"""What every task must satisfy, checked on one of its sources."""

from __future__ import annotations

from collections.abc import Callable

from benchsuite.contracts import TaskEntry
from benchsuite.measure.conformance.task_data import (
    TaskUnderTest,
    check_disjoint,
    check_fit,
    check_models,
    check_same_data,
    check_sequences,
    check_splits,
    check_texts,
)
from benchsuite.measure.conformance.task_metrics import (
    check_baselines,
    check_exhibits,
    check_scores,
    perfect_predictions,
)

__all__ = ["TASK_CHECKS", "TaskCheck", "TaskUnderTest", "check_task", "perfect_predictions"]

TaskCheck = Callable[[TaskUnderTest], None]

TASK_CHECKS: tuple[TaskCheck, ...] = (
    check_same_data,
    check_splits,
    check_disjoint,
    check_texts,
    check_models,
    check_fit,
    check_sequences,
    check_scores,
    check_baselines,
    check_exhibits,
)
"""Every property of a task, in the order in which a failure explains the ones after it."""


def check_task(entry: TaskEntry, source: str) -> None:
    """The data are reproducible and well formed, every architecture gives a model that fits them, and the
    metrics tell good predictions from bad ones. Raises ConformanceError with the first of TASK_CHECKS that does
    not hold."""
    found = TaskUnderTest.loaded(entry, source)
    for check in TASK_CHECKS:
        check(found)
