"""`--set` on a trial that exists already."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.matrix_worlds import AXES, TASKS, small_registry
from hypothesis import given

from benchsuite.errors import MatrixError
from benchsuite.plugins import registry
from benchsuite.running.matrix import Matrix, builtin_matrices, changed, expand
from benchsuite.schema import Trial

REGISTRY = small_registry()
TRIAL = Trial(task="alpha", source="tiny", cell="lstm", architecture="plain", backend="numpy")


@given(AXES)
def test_nothing_that_is_set_changes_nothing(axes: dict[str, Any]) -> None:
    for trial in expand(Matrix("test", {"axes": axes, "tasks": TASKS}), REGISTRY).trials:
        found = changed(trial, REGISTRY, [], "study 'mine'")
        assert ([one.id for one in found.trials], found.skipped) == ([trial.id], ())


def test_trials_of_a_built_in_matrix_stay_as_they_are() -> None:
    """Convolutional ones, and tasks with options of later versions, among them."""
    trials = expand(builtin_matrices()["quick"], registry()).trials
    one_of_each = {(trial.task, trial.architecture): trial for trial in trials}.values()
    for trial in one_of_each:
        assert [one.id for one in changed(trial, registry(), [], "quick").trials] == [trial.id]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["threads=2"], [("numpy", 2)]),
        (["threads=1,2"], [("numpy", 1), ("numpy", 2)]),
        (["backend+=torch"], [("numpy", 1), ("torch", 1)]),
        (["tasks.alpha.threads=4"], [("numpy", 4)]),
        (["tasks.beta.threads=4"], [("numpy", 1)]),
    ],
)
def test_what_is_set_is_as_in_a_matrix(overrides: list[str], expected: list[tuple[str, int]]) -> None:
    found = changed(TRIAL, REGISTRY, overrides, "study 'mine'")
    assert [(trial.backend, trial.execution.threads) for trial in found.trials] == expected


def test_what_cannot_be_set_is_refused_with_its_place() -> None:
    with pytest.raises(MatrixError, match=r"(?s)study 'mine': 2 problems.*--set thread:.*--set backend:"):
        changed(TRIAL, REGISTRY, ["thread=2", "backend=none"], "study 'mine'")


def test_an_architecture_that_the_task_has_not_is_skipped() -> None:
    found = changed(TRIAL, REGISTRY, ["architecture=bidirectional"], "study 'mine'")
    assert [skip.reason for skip in found.skipped] == [
        "task alpha has no bidirectional; it offers plain, deep, cnn"
    ]
