"""Sources that are downloaded, where there is no file of them and no network."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.tasks import load_task

from benchsuite.contracts import LoadedTask, TaskEntry
from benchsuite.errors import DataError
from benchsuite.plugins import registry

DOWNLOADED = [
    pytest.param(entry, source, id=f"{name}-{source}")
    for name, entry in registry().tasks.items()
    if registry().owners[f"task:{name}"].distribution == "benchsuite"
    for source in entry.sources
    if source not in entry.offline
]


@pytest.mark.parametrize(("entry", "source"), DOWNLOADED)
def test_without_files_and_network_the_message_says_where_to_put_which_file(
    entry: TaskEntry, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path))
    monkeypatch.setenv("BENCHSUITE_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(DataError) as raised:
        load_task(LoadedTask, entry, source)
    assert str(tmp_path) in str(raised.value)
    assert any(file.name in str(raised.value) for file in entry.files)
