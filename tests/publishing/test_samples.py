"""Samples of data that may not be passed on are in no bundle, and in no report inside one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.hostile import store
from fixtures.records import record

from benchsuite.publishing.bundle import unpacked, write_bundle
from benchsuite.publishing.samples import may_be_passed_on, withheld
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Exhibit

TEXT = Exhibit(name="row 0", kind="text", lines={"source": ["secretword"], "prediction": ["one"]})
COUNTS = Exhibit(name="all", kind="confusion", lines={"classes": ["a"]}, tables={"counts": [[1.0]]})


@pytest.mark.parametrize(
    ("licence", "open_"),
    [
        ("generated; no rights reserved", True),
        ("public domain (as statsmodels states)", True),
        ("CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)", True),
        ("CC BY-SA 3.0", True),
        ("MIT (of the repository); the text is in the public domain", True),
        ("CC BY-ND 4.0", False),
        ("CC BY-NC-SA 4.0; real emails", False),
        ("none in the copy's repository; UCI, its origin, lists CC BY 4.0", False),
        ("MITIGATED", False),
        ("", False),
    ],
)
def test_a_licence_lets_samples_be_passed_on_only_where_it_says_so(licence: str, open_: bool) -> None:
    assert may_be_passed_on(licence) is open_


def study(folder: Path, licence: str) -> StoredStudy:
    made = record(0.9).model_copy(
        update={"exhibits": [TEXT, COUNTS], "environment": {"data.licence": licence} if licence else {}}
    )
    return store(folder / "mine", [made])


@pytest.mark.parametrize(("licence", "kept"), [("CC BY 4.0", True), ("CC BY-ND 4.0", False), ("", False)])
def test_a_bundle_holds_samples_of_open_data_alone(licence: str, kept: bool, tmp_path: Path) -> None:
    mine = study(tmp_path, licence)
    trial = mine.records[0].trial_id
    with unpacked(write_bundle(mine, tmp_path / "mine.zip")) as folder:
        assert StoredStudy.load(folder).exhibits(trial) == ([TEXT, COUNTS] if kept else [COUNTS])
        assert not withheld(folder)
    with unpacked(write_bundle(mine, tmp_path / "own.zip", samples=True)) as folder:
        assert StoredStudy.load(folder).exhibits(trial) == [TEXT, COUNTS]
    assert mine.exhibits(trial) == [TEXT, COUNTS]
    assert withheld(mine.folder) == ({} if kept else {"digits / tiny": licence or "not stated"})


def test_the_command_says_what_it_leaves_out(tmp_path: Path) -> None:
    mine = study(tmp_path, "CC BY-ND 4.0")
    path = tmp_path / "mine.zip"
    told = call("bundle", str(mine.folder), "--output", str(path))
    assert "digits / tiny (CC BY-ND 4.0)" in told.stderr
    assert "--samples keeps them" in told.stderr
    with zipfile.ZipFile(path) as archive:
        pages = [name for name in archive.namelist() if name.startswith("report/")]
        assert pages
        assert not [name for name in pages if b"secretword" in archive.read(name)]
    told = call("bundle", str(mine.folder), "--no-report", "--samples", "--output", str(path))
    assert "--samples" not in told.stderr
