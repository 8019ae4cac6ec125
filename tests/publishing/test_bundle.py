"""A bundle is a valid RO-Crate, gives its study back, and unpacks nothing outside of its folder."""

from __future__ import annotations

import random
import threading
import time
import zipfile
from pathlib import Path

import pytest
from fixtures.records import record
from rocrate.rocrate import ROCrate

from benchsuite.errors import StoreError
from benchsuite.publishing import bundle
from benchsuite.publishing.bundle import METADATA, unpacked, write_bundle
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Exhibit, Series

TEXT = Exhibit(name="row 0", kind="text", lines={"source": ["eins"], "prediction": ["one"]})
CURVE = Series(name="train/loss", axis="step", x=[1.0, 2.0], y=[2.0, 1.0])


@pytest.fixture
def study(tmp_path: Path) -> StoredStudy:
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
    return StoredStudy.load(store.folder)


def test_a_bundle_is_a_crate_that_names_its_files_and_its_data(study: StoredStudy, tmp_path: Path) -> None:
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


def test_a_bundle_gives_its_study_back(study: StoredStudy, tmp_path: Path) -> None:
    with unpacked(write_bundle(study, tmp_path / "mine.zip")) as folder:
        again = StoredStudy.load(folder)
        assert again.records == study.records
        trial = study.records[0].trial_id
        assert again.series(trial) == [CURVE]
        assert again.exhibits(trial) == [TEXT]
        artifacts = [path.read_text() for path in (folder / "artifacts").iterdir()]
        assert artifacts == ["{}"]


def test_a_report_is_taken_along(study: StoredStudy, tmp_path: Path) -> None:
    def report(given: StoredStudy, folder: Path) -> None:
        folder.mkdir()
        (folder / "index.html").write_text(f"{given.name} of {len(given.records)}")

    with zipfile.ZipFile(write_bundle(study, tmp_path / "mine.zip", report)) as archive:
        assert archive.read("report/index.html") == b"mine of 3"


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


def everything(path: Path) -> list[object]:
    """All that a reader finds in a bundle."""
    with unpacked(path) as folder:
        found = StoredStudy.read(folder)
        records = found.records
        return [
            [one.model_dump_json() for one in records],
            [found.series(one.trial_id) for one in records],
            [found.exhibits(one.trial_id) for one in records],
            found.damage,
            found.description(),
        ]


def test_a_damaged_bundle_is_refused_or_read_whole(study: StoredStudy, tmp_path: Path) -> None:
    """Whatever bit is flipped, wherever the file is cut: no traceback, and nothing missing without a word."""
    path = write_bundle(study, tmp_path / "mine.zip")
    whole, content = everything(path), path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    directory = int.from_bytes(content[end + 16 : end + 20], "little")
    draw, refused = random.Random(7), 0
    for turn in range(150):
        damaged = bytearray(content)
        if turn % 3 == 0:
            del damaged[draw.randrange(len(damaged)) :]
        else:
            damaged[draw.randrange(directory if turn % 3 == 1 else 0, len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            assert everything(path) == whole
        except StoreError:
            refused += 1
    assert refused > 75


def test_a_bundle_that_lacks_a_file_it_names_is_refused(study: StoredStudy, tmp_path: Path) -> None:
    path, less = write_bundle(study, tmp_path / "mine.zip"), tmp_path / "less.zip"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(less, "w") as other:
        for name in archive.namelist():
            if not name.endswith(".parquet"):
                other.writestr(name, archive.read(name))
    with pytest.raises(StoreError, match="is damaged: it lacks study/series/"), unpacked(less):
        pass


def test_a_bundle_that_unpacks_to_too_much_is_refused(
    study: StoredStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", 1000)
    path = write_bundle(study, tmp_path / "mine.zip")
    with pytest.raises(StoreError, match="unpacks to more than"), unpacked(path):
        pass


def test_a_description_that_unpacks_to_too_much_is_refused(
    study: StoredStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MOST_METADATA_BYTES", 100)
    path = write_bundle(study, tmp_path / "mine.zip")
    with pytest.raises(StoreError, match="is larger than"), unpacked(path):
        pass


def test_a_member_that_says_it_is_small_and_is_not_is_refused(study: StoredStudy, tmp_path: Path) -> None:
    """A zip's directory can lie about sizes: what unpacks to gigabytes is cut there, and refused."""
    path = write_bundle(study, tmp_path / "mine.zip")
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("study/records.jsonl").file_size
    lying = size.to_bytes(4, "little")
    content = bytearray(path.read_bytes())
    place = content.rindex(b"study/records.jsonl") - 46 + 24
    assert content[place : place + 4] == lying
    content[place : place + 4] = (7).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read as a bundle"), unpacked(path):
        pass


def test_a_bundle_that_cannot_be_written_leaves_nothing(study: StoredStudy, tmp_path: Path) -> None:
    (tmp_path / "out" / "mine.zip").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be written"):
        write_bundle(study, tmp_path / "out" / "mine.zip")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.zip"]


def test_a_study_that_is_being_written_can_be_bundled(study: StoredStudy, tmp_path: Path) -> None:
    """Every bundle made meanwhile is of one moment: each record has its curves."""
    done = threading.Event()

    def write() -> None:
        store = StudyStore(study.folder)
        with store.writing():
            for turn in range(60):
                held = {"series": [CURVE], "exhibits": [TEXT], "environment": {"data.licence": "MIT"}}
                store.append(record(0.9, seed=turn % 3).model_copy(update=held))
                time.sleep(0.25 if turn % 4 == 0 else 0.002)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    made = 0
    while not done.is_set() and made < 3:
        records, series, exhibits, damage, _ = everything(write_bundle(study, tmp_path / "now.zip"))
        assert isinstance(records, list)
        assert (len(records), series, exhibits, damage) == (3, [[CURVE]] * 3, [[TEXT]] * 3, ())
        made += 1
    writer.join()
    assert made
