"""Exhibits and artifacts of a study."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial

from benchsuite.errors import StoreError
from benchsuite.running.store import StudyStore
from benchsuite.schema import Exhibit, Record, Series, Status


def record(seed: int = 0, status: Status = Status.OK, series: tuple[Series, ...] = ()) -> Record:
    return Record(trial=scripted_trial(seed=seed), status=status, series=list(series))


def test_exhibits_and_artifacts_lie_beside_the_journal(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "mine")
    text = Exhibit(
        name="row 0", kind="text", lines={"source": ["ä", "<b>"]}, tables={"alignment": [[0.5, 0.5]]}
    )
    one = record().model_copy(update={"exhibits": [text], "artifacts": {"tokeniser": "ß{}"}})
    with store.writing():
        store.append(one)
        assert store.exhibits(one.trial_id) == [text]
        digest = hashlib.sha256("ß{}".encode()).hexdigest()
        assert store.artifact_path(digest).read_text(encoding="utf-8") == "ß{}"
        store.append(record())
    assert store.exhibits(one.trial_id) == []
    assert "ß" not in (store.folder / "records.jsonl").read_text(encoding="utf-8")


def test_exhibits_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "mine")
    path = store.exhibits_path("abc")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        store.exhibits("abc")
