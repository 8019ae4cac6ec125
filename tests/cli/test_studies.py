"""The study that a command names, by name, path or bundle, and a trial of it by the first digits of its id."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.hostile import store
from fixtures.records import record

from benchsuite.cli.studies import close_bundles, find_records, open_study
from benchsuite.errors import RequestError, StoreError, UnknownNameError
from benchsuite.publishing.bundle import write_bundle
from benchsuite.running.study import StoredStudy

RECORDS = [record(seed=seed) for seed in range(20)]


@pytest.fixture
def study(tmp_path: Path) -> StoredStudy:
    return store(tmp_path / "results" / "mine", RECORDS)


def test_by_name_path_and_bundle(study: StoredStudy, tmp_path: Path) -> None:
    path = write_bundle(study, tmp_path / "other.zip")
    named = [
        open_study("mine", study.folder.parent),
        open_study(str(study.folder), None),
        open_study(str(path), None),
    ]
    assert [one.name for one in named] == ["mine"] * 3
    assert all(one.records == study.records for one in named)
    assert [one.trial_id for one in study.records] == [one.trial_id for one in RECORDS]
    unpacked = named[2].folder
    assert unpacked.exists()
    close_bundles()
    assert not unpacked.exists()


def test_what_is_not_there_is_named_with_what_is(study: StoredStudy, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mine'"):
        open_study("mien", study.folder.parent)
    with pytest.raises(StoreError, match="there is no study at"):
        open_study(str(tmp_path / "nowhere"), None)
    (tmp_path / "no.zip").write_bytes(b"no zip")
    assert "cannot be read as a bundle" in call("show", str(tmp_path / "no.zip"), code=2).stderr


def test_a_trial_is_found_by_as_many_digits_as_tell_it(study: StoredStudy) -> None:
    wanted = RECORDS[3]
    assert [one.trial for one in find_records(study, wanted.trial_id)] == [wanted.trial]
    with pytest.raises(RequestError, match="no trial of mine begins with 'zz'"):
        find_records(study, "zz")
    with pytest.raises(RequestError, match="20 trials of mine begin with ''") as caught:
        find_records(study, "")
    assert str(caught.value).count("seed") == 10
