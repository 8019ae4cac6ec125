"""What a name, a path and a bundle open."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from fixtures.planted import planted
from fixtures.shards import write_study

from benchsuite import Study
from benchsuite.errors import StoreError, UnknownNameError
from benchsuite.publishing.bundle import write_bundle
from benchsuite.running.study import StoredStudy


@pytest.fixture
def stored(tmp_path: Path) -> StoredStudy:
    return write_study(tmp_path / "results" / "mine", [planted(), planted(cell="gru")])


def test_a_name_is_a_study_of_the_results_folder(
    stored: StoredStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Study.load("mine", stored.folder.parent).records == stored.records
    monkeypatch.setenv("BENCHSUITE_RESULTS", str(stored.folder.parent))
    assert Study.load("mine").folder == stored.folder
    with pytest.raises(UnknownNameError, match="mine"):
        Study.load("mien")


def test_a_path_is_a_folder_whether_it_has_a_slash_or_not(
    stored: StoredStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCHSUITE_RESULTS", raising=False)
    monkeypatch.chdir(stored.folder.parent)
    for given in (stored.folder, str(stored.folder), "./mine", "mine", Path("mine")):
        assert len(Study.load(given).records) == 2
    with pytest.raises(StoreError, match="no study"):
        Study.load(Path("other"))


def test_a_bundle_is_unpacked_for_as_long_as_anything_holds_its_study(
    stored: StoredStudy, tmp_path: Path
) -> None:
    pytest.importorskip("rocrate")
    path = write_bundle(stored, tmp_path / "mine.crate.zip")
    study = Study.load(path)
    assert (study.name, study.origin) == ("mine", str(path))
    part = study.where(cell="gru")
    folder = study.folder
    del study
    gc.collect()
    assert part.description()["name"] == "mine"
    del part
    gc.collect()
    assert not folder.exists()
    with pytest.raises(StoreError):
        Study.load(stored.folder / "records.jsonl.zip")
