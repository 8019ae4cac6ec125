"""The process that writes a study is named to another run of it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from benchsuite.errors import StoreError
from benchsuite.running.store import StudyStore
from benchsuite.running.store.writer import read_writer, write_writer


def test_a_second_run_is_told_which_process_writes(tmp_path: Path) -> None:
    with StudyStore(tmp_path / "s").writing():
        with pytest.raises(StoreError) as caught, StudyStore(tmp_path / "s").writing():
            pass
        assert f"by another run: process {os.getpid()} on {platform.node()} since 2" in str(caught.value)
    assert read_writer(tmp_path / "s" / ".writer") == ""
    with StudyStore(tmp_path / "s").writing():
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"since": 1e999}', "[" * 60_000, '{"since": "x"}'])
def test_what_is_no_note_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "note").write_text(content)
    assert read_writer(tmp_path / "note") == ""


def test_a_note_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    write_writer(tmp_path / "none" / "note")
    assert read_writer(tmp_path / "none" / "note") == ""
