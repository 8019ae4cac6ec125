"""A study's folder: names, the lock, what is latest, what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial

from benchsuite.errors import StoreError, StoreWriteError
from benchsuite.running.store import StudyStore, study_folder, write_series
from benchsuite.schema import Record, Series, Status

LOSS = Series(name="train/loss", axis="step", x=[1, 2, 3], y=[1.0, math.nan, math.inf])


def record(seed: int = 0, status: Status = Status.OK, series: tuple[Series, ...] = ()) -> Record:
    return Record(trial=scripted_trial(seed=seed), status=status, series=list(series))


@pytest.mark.parametrize("name", ["quick", "a", "2026-11.b_c", "x" * 100])
def test_names_of_studies(tmp_path: Path, name: str) -> None:
    assert study_folder(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc",
        ".hidden",
        "-x",
        "a.",
        "ä",
        "a b",
        "a\n",
        "x" * 101,
        "studies",
        "index",
    ],
)
def test_names_that_are_paths_or_worse_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a study"):
        study_folder(tmp_path, name)


def test_the_latest_record_of_a_trial_wins_and_keeps_its_place(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({"matrix": {"name": "é"}})
        for one in (record(0, Status.FAILED), record(1), record(0, Status.OK)):
            store.append(one)
    found = StudyStore.open(tmp_path / "s").latest()
    assert [(one.trial.seed, one.status) for one in found.values()] == [(0, Status.OK), (1, Status.OK)]
    assert len(store.history()[0]) == 3


def test_curves_belong_to_the_latest_record(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    trial_id = scripted_trial().id
    with store.writing():
        assert store.series(trial_id) == []
        store.append(record(series=(LOSS, Series(name="empty", axis="lag", x=[], y=[]))))
        (found,) = store.series(trial_id)
        assert (found.name, found.axis, found.x) == ("train/loss", "step", [1.0, 2.0, 3.0])
        assert math.isnan(found.y[1])
        assert found.y[2] == math.inf
        store.append(record(status=Status.FAILED))
        assert store.series(trial_id) == []


def test_the_description_keeps_its_identity(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({"matrix": {"name": "one"}})
        first, identity = store.description(), store.id
        store.describe({"matrix": {"name": "two"}})
    second = StudyStore(tmp_path / "s").description()
    assert (first["name"], first["format"], first["id"]) == ("s", 1, identity)
    assert (second["id"], second["created"], second["matrix"]) == (
        first["id"],
        first["created"],
        {"name": "two"},
    )


def test_two_runs_of_one_study_refuse_each_other(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from benchsuite.running.store import StudyStore\n"
        "from benchsuite.errors import StoreError\n"
        "try:\n"
        "    with StudyStore(Path(sys.argv[1])).writing(): print('in')\n"
        "except StoreError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "s")]
    with StudyStore(tmp_path / "s").writing():
        refused = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        with pytest.raises(StoreError, match="another run"), StudyStore(tmp_path / "s").writing():
            pass
    assert "study 's' is being written by another run" in refused
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "in\n"


def test_leftovers_of_a_crash_are_mended_and_reported(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing() as torn:
        assert torn == []
        store.append(record())
    (tmp_path / "s" / "series" / "x.parquet.partial").write_bytes(b"half")
    (tmp_path / "s" / "study.json.partial").write_bytes(b"half")
    with (tmp_path / "s" / "records.jsonl").open("ab") as file:
        file.write(b'{"half')
    with store.writing() as torn:
        assert [one.line for one in torn] == [2]
    assert list((tmp_path / "s" / "series").iterdir()) == []
    assert len(store.latest()) == 1


def test_a_crash_before_anything_was_written_leaves_a_usable_folder(tmp_path: Path) -> None:
    (tmp_path / "s" / "series").mkdir(parents=True)
    (tmp_path / "s" / "study.json.partial").write_bytes(b"{")
    with StudyStore(tmp_path / "s").writing() as torn:
        assert torn == []


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.tex").write_text("mine")
    with (
        pytest.raises(StoreError, match=r"is not a study: it holds thesis\.tex"),
        StudyStore(tmp_path / "s").writing(),
    ):
        pass
    with pytest.raises(StoreError, match="is not a study"):
        StudyStore.open(tmp_path / "s")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "cannot be read"), (b"[]", "holds no JSON object"), (b'{"format": 99}', "newer benchsuite")],
)
def test_a_description_that_cannot_be_understood(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(StoreError, match=message):
        StudyStore.open(tmp_path)
    with pytest.raises(StoreError, match=message), StudyStore(tmp_path).writing():
        pass


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no study at"):
        StudyStore.open(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"), StudyStore(tmp_path / "file").writing():
        pass


def test_writing_needs_the_lock(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.append(record())
    with pytest.raises(StoreError, match="reading only"):
        store.append(record(1))
    with pytest.raises(StoreError, match="reading only"):
        store.describe({})


def test_unreadable_curves_are_an_error_with_their_path(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.append(record(series=(LOSS,)))
    store.series_path(scripted_trial().id).write_bytes(b"PAR1 not really")
    with pytest.raises(StoreError, match=r"\.parquet cannot be read"):
        store.series(scripted_trial().id)


def test_a_journal_line_is_plain_json(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.append(record().model_copy(update={"scalars": {"a": math.inf}, "reason": "línea\n2"}))
    (line,) = (tmp_path / "s" / "records.jsonl").read_text("utf-8").splitlines()
    found = json.loads(line)
    assert found["scalars"] == {"a": "Infinity"}
    assert "series" not in found


def test_a_description_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    (tmp_path / "s" / "study.json.partial").mkdir(parents=True)
    with store.writing(), pytest.raises(StoreError, match=r"study\.json cannot be written"):
        store.describe({})


def parts_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "series").iterdir())


def test_an_attempt_never_has_the_curves_of_another_one(tmp_path: Path) -> None:
    """However the writing of a second attempt ends, each record has its own curves."""
    store, trial_id = StudyStore(tmp_path / "s"), scripted_trial().id
    second = LOSS.model_copy(update={"y": [9.0, 9.0, 9.0]})
    with store.writing():
        first = store.append(record(series=(LOSS,)))
    (tmp_path / "s" / "records.jsonl").rename(tmp_path / "journal")
    (tmp_path / "s" / "records.jsonl").mkdir()  # the line cannot be written, the curves can
    store._writing = True
    with pytest.raises(StoreWriteError, match="what is recorded is kept"):
        store.append(record(series=(second,)))
    (tmp_path / "s" / "records.jsonl").rmdir()
    (tmp_path / "journal").rename(tmp_path / "s" / "records.jsonl")
    found = StudyStore(tmp_path / "s")
    assert found.latest()[trial_id].attempt == first.attempt
    assert found.series(trial_id)[0].x == LOSS.x
    assert found.series(trial_id)[0].y[2] == math.inf
    assert parts_of(tmp_path / "s") == [f"{trial_id}.{first.attempt}.parquet"]


def test_curves_that_a_crash_left_without_their_line_are_nobodys(tmp_path: Path) -> None:
    store, trial_id = StudyStore(tmp_path / "s"), scripted_trial().id
    with store.writing():
        store.append(record(series=(LOSS,)))
        write_series(store.series_path(trial_id, "0123abcd"), [LOSS, LOSS])
    assert len(StudyStore(tmp_path / "s").series(trial_id)) == 1
    again = StudyStore(tmp_path / "s")
    with again.writing():
        again.history()
    assert len(parts_of(tmp_path / "s")) == 1


def test_curves_of_versions_without_attempts_are_read_and_replaced(tmp_path: Path) -> None:
    store, trial_id = StudyStore(tmp_path / "s"), scripted_trial().id
    with store.writing():
        write_series(tmp_path / "s" / "series" / f"{trial_id}.parquet", [LOSS])
        store._journal.append(record())
    assert StudyStore(tmp_path / "s").series(trial_id)[0].x == LOSS.x
    again = StudyStore(tmp_path / "s")
    with again.writing():
        again.append(record(series=(LOSS, LOSS.model_copy(update={"name": "b"}))))
    assert len(StudyStore(tmp_path / "s").series(trial_id)) == 2
    assert len(parts_of(tmp_path / "s")) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_keeps_everything_before_it(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.append(record(series=(LOSS,)))
        before = (tmp_path / "s" / "records.jsonl").read_bytes()
        (tmp_path / "s" / "records.jsonl").unlink()
        (tmp_path / "s" / "records.jsonl").symlink_to("/dev/full")
        with pytest.raises(StoreWriteError, match="No space left"):
            store.append(record(1, series=(LOSS,)))
    assert before
    assert len(parts_of(tmp_path / "s")) == 1
