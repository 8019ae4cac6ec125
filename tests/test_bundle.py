"""A bundle is a valid RO-Crate, gives its study back, and unpacks nothing outside of its folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fixtures.records import record
from rocrate.rocrate import ROCrate

from benchsuite.bundle import METADATA, unpacked, write_bundle
from benchsuite.errors import StoreError
from benchsuite.running.store import StudyStore
from benchsuite.running.study import Study
from benchsuite.schema import Exhibit, Series

TEXT = Exhibit(name="row 0", kind="text", lines={"source": ["eins"], "prediction": ["one"]})
CURVE = Series(name="train/loss", axis="step", x=[1.0, 2.0], y=[2.0, 1.0])


@pytest.fixture
def study(tmp_path: Path) -> Study:
    store = StudyStore(tmp_path / "mine")
    facts = {"data.sha256": "ab" * 32, "data.licence": "CC BY 4.0"}
    with store.writing():
        store.describe({"matrix": {"name": "mine", "text": 'name = "mine"\n'}})
        for seed in range(3):
            one = record(0.9, seed=seed).model_copy(
                update={
                    "series": [CURVE],
                    "exhibits": [TEXT],
                    "artifacts": {"tokeniser": "{}"},
                    "environment": facts,
                }
            )
            store.append(one)
    (store.folder / "notes.pdf").write_bytes(b"private")
    return Study.load(store.folder)


def test_a_bundle_is_a_crate_that_names_its_files_and_its_data(study: Study, tmp_path: Path) -> None:
    path = write_bundle(study, tmp_path / "out" / "mine.zip", licence="CC-BY-4.0")
    crate = ROCrate(path)
    names = {entity.id for entity in crate.get_entities()}
    trial = study.records[0].trial_id
    assert {
        "study/records.jsonl",
        "study/study.json",
        f"study/series/{trial}.{study.records[0].attempt}.parquet",
        "matrix.toml",
    } <= names
    assert crate.get("#data-" + "ab" * 8)["license"] == "CC BY 4.0"
    assert crate.root_dataset["license"] == "CC-BY-4.0"
    assert not [name for name in names if "notes" in name]
    assert not list(path.parent.glob("*.partial*"))


def test_a_bundle_gives_its_study_back(study: Study, tmp_path: Path) -> None:
    with unpacked(write_bundle(study, tmp_path / "mine.zip")) as folder:
        again = Study.load(folder)
        assert again.records == study.records
        trial = study.records[0].trial_id
        assert again.series(trial) == [CURVE]
        assert again.exhibits(trial) == [TEXT]
        artifacts = [path.read_text() for path in (folder / "artifacts").iterdir()]
        assert artifacts == ["{}"]


def test_a_report_is_taken_along(study: Study, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("<!doctype html><title>mine</title>")
    path = write_bundle(study, tmp_path / "mine.zip", report)
    assert "report/index.html" in zipfile.ZipFile(path).namelist()


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"a.txt": "x"}, "is no bundle"),
        ({METADATA: "{}"}, "is no bundle"),
        ({METADATA: "{}", "study/../../evil": "x"}, "leads out of the bundle"),
    ],
)
def test_what_is_no_bundle_is_refused(members: dict[str, str], said: str, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    with pytest.raises(StoreError, match=said), unpacked(path):
        pass


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.zip"
    path.write_text("no zip")
    with pytest.raises(StoreError, match="cannot be read as a bundle"), unpacked(path):
        pass
