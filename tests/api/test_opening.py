"""What a name, a path and a bundle open."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from fixtures import published
from fixtures.planted import planted
from fixtures.shards import write_study

from benchsuite import Study
from benchsuite.errors import StoreError, UnknownNameError
from benchsuite.publishing.bundle import write_bundle
from benchsuite.publishing.repository import Repository
from benchsuite.publishing.repository.folder import BUNDLE
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


@pytest.fixture
def repository(stored: StoredStudy, tmp_path: Path) -> Repository:
    """A claim and two verified studies of a frozen suite, in one folder with a local study."""
    made = Repository.create(tmp_path / "published")
    stored.folder.rename(made.folder / "mine")
    trials = [planted(), planted(cell="gru"), planted(cell="rnn")]
    for name, records, level in (
        ("q", trials[:1], "verified"),
        ("q", trials[:2], "verified"),
        ("c", trials, "claimed"),
    ):
        published.add(made, records, name=name, suite="quick@1", level=level)
    for one in made.submissions():
        study = write_study(tmp_path / one.id, [planted()])
        write_bundle(study, made.study(one.id) / BUNDLE)
    return made


def test_a_published_study_is_opened_by_its_board_and_by_its_id(
    repository: Repository,
) -> None:
    most = repository.names["quick@1"]
    assert (most.trials, most.level) == (2, "verified")
    place = str(repository.study(most.id) / BUNDLE)
    for given in ("quick@1", most.id):
        assert Study.load(repository.folder / given).origin == place
        assert Study.load(given, repository.folder).origin == place
        assert Study.load(f"{repository.folder}/{given}").origin == place
    assert Study.load("mine", repository.folder).origin == ""
    assert Study.load(repository.folder / "mine").origin == ""
    for wrong in (repository.folder / "quick@2", f"{repository.folder}/quick@2"):
        with pytest.raises(UnknownNameError, match="quick@1"):
            Study.load(wrong)
    with pytest.raises(UnknownNameError, match="quick@1"):
        Study.load("quick@2", repository.folder)
