"""The plugin is found, and its task keeps benchsuite's contract."""

from __future__ import annotations

import numpy as np
from benchsuite.plugins import registry
from benchsuite.pytest_plugin.kits import TaskKit

ENTRY = registry().task("new_task")


def test_the_plugin_is_found() -> None:
    owner = registry().owners["task:new_task"]
    assert owner.distribution == "benchsuite-new-task"
    assert not owner.problem


class TestNewTask(TaskKit):
    name = "new_task"


def test_lengths_and_classes() -> None:
    data = ENTRY.load().load("generated", ENTRY.complete({"longest": 7}))
    assert data.train.inputs.lengths.max() == 7
    assert len(np.unique(data.train.inputs.lengths)) > 1
    for row, target in enumerate(data.test.row_targets):
        assert target == (data.test.inputs[row].sum() > 0)
