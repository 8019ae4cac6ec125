"""The task kit on every task: on its offline sources here, on all of them with the data at hand."""

from __future__ import annotations

import pytest

from benchsuite.measure.conformance.tasks import check_task
from benchsuite.plugins import registry

ENTRIES = registry().tasks
OFFLINE = [(entry.name, source) for entry in ENTRIES.values() for source in entry.offline]
DOWNLOADED = [
    (entry.name, source)
    for entry in ENTRIES.values()
    for source in entry.sources
    if source not in entry.offline
]


@pytest.mark.parametrize(("task", "source"), OFFLINE)
def test_offline_source_conforms(task: str, source: str) -> None:
    check_task(registry().task(task), source)


@pytest.mark.data
@pytest.mark.parametrize(("task", "source"), DOWNLOADED)
def test_downloaded_source_conforms(task: str, source: str) -> None:
    check_task(registry().task(task), source)


def test_every_task_has_an_offline_source() -> None:
    assert ENTRIES
    assert all(entry.offline for entry in ENTRIES.values())
