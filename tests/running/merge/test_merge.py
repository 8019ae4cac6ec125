"""Merging loses nothing, mixes nothing, and leaves the study before or the study after."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.planted import planted
from fixtures.shards import BIG, SMALL, content, on, write_study

from benchsuite.analysis.machines import machine_of
from benchsuite.errors import StoreError
from benchsuite.running.merge import merge_studies
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy


def three(folder: Path) -> list[StoredStudy]:
    """Two machines, one trial that ran on both, one that failed before it could say where."""
    lost = planted(0.5, seed=5).model_copy(update={"environment": {}, "finished": 150.0})
    return [
        write_study(folder / "a", [on(BIG, planted(0.9), loss=3.0), lost], environment=BIG),
        write_study(folder / "b", [on(SMALL, planted(0.8), loss=4.0)], environment=SMALL),
        write_study(folder / "c", [on(BIG, planted(0.7, seed=1), loss=5.0)], environment=BIG),
    ]


def test_a_merged_study_has_every_record_with_its_files(tmp_path: Path) -> None:
    studies = three(tmp_path)
    merged = merge_studies(studies, tmp_path / "m")
    assert (merged.records, merged.trials) == (4, 3)
    study = StoredStudy.read(tmp_path / "m")
    assert {machine_of(one.environment).name for one in study.records} == {"Big, 64 cores", "Small, 1 core"}
    for source in studies:
        for record in source.records:
            (same,) = [one for one in study.records if one.attempt == record.attempt]
            assert same.scalars == record.scalars
            assert study.series(same.trial_id, same.attempt) == source.series(record.trial_id)
            assert study.exhibits(same.trial_id, same.attempt) == source.exhibits(record.trial_id)
    artifacts = {path.read_text() for path in (tmp_path / "m" / "artifacts").iterdir()}
    assert artifacts == {"text 3.0", "text 4.0", "text 5.0"}
    origins = study.description()["merged"]
    assert [one["name"] for one in origins] == ["a", "b", "c"]
    assert [one["machines"] for one in origins] == [["Big, 64 cores"], ["Small, 1 core"], ["Big, 64 cores"]]


def test_neither_the_order_nor_how_often_nor_in_how_many_steps_matters(tmp_path: Path) -> None:
    studies = three(tmp_path)
    merge_studies(studies, tmp_path / "m")
    wanted = content(tmp_path / "m")
    for number, order in enumerate(itertools.permutations(studies)):
        merge_studies(order, tmp_path / f"p{number}")
        assert content(tmp_path / f"p{number}") == wanted
    for one in (*studies, *studies):
        merge_studies([one], tmp_path / "steps")
    assert content(tmp_path / "steps") == wanted
    merge_studies([StoredStudy.read(tmp_path / "m"), studies[1]], tmp_path / "again")
    assert content(tmp_path / "again") == wanted
    before = StudyStore(tmp_path / "m").description()
    merge_studies(studies, tmp_path / "m")
    assert StudyStore(tmp_path / "m").description() == before


def test_two_records_of_a_trial_on_one_machine_are_refused_by_name(tmp_path: Path) -> None:
    studies = [
        write_study(tmp_path / name, [on(BIG, planted(value), finished)])
        for name, value, finished in (("one", 0.25, 300.0), ("two", 0.75, 200.0))
    ]
    with pytest.raises(
        StoreError, match=r"(?s)lstm plain.*Big, 64 cores.*accuracy 0\.75.*in two.*0\.25.*in one"
    ):
        merge_studies(studies, tmp_path / "m")
    assert not (tmp_path / "m").exists()
    for keep, lines in (("newest", 1), ("all", 2)):
        merged = merge_studies(studies, tmp_path / keep, keep)  # type: ignore[arg-type]
        assert (merged.records, merged.trials) == (lines, 1)
        (record,) = StoredStudy.read(tmp_path / keep).records
        assert record.scalars["test/accuracy"] == 0.25
        assert len(list((tmp_path / keep / "series").iterdir())) == 1


def test_a_record_that_another_study_replaced_later_is_no_conflict(tmp_path: Path) -> None:
    """An older copy of a study, and the study that went on."""
    first, second = on(BIG, planted(0.2), 300.0), on(BIG, planted(0.6), 200.0)
    old = write_study(tmp_path / "old", [first.model_copy(update={"attempt": "00000001"})])
    new = write_study(
        tmp_path / "new",
        [one.model_copy(update={"attempt": f"0000000{n}"}) for n, one in enumerate((first, second), 1)],
    )
    merged = merge_studies([new, old], tmp_path / "m")
    assert (merged.records, merged.trials) == (2, 1)
    assert [one.scalars["test/accuracy"] for one in StoredStudy.read(tmp_path / "m").records] == [0.6]


def test_a_record_that_was_changed_is_refused_whatever_is_kept(tmp_path: Path) -> None:
    record = on(BIG, planted(0.5)).model_copy(update={"attempt": "0000000a"})
    better = on(BIG, planted(0.9)).model_copy(update={"attempt": "0000000a"})
    studies = [write_study(tmp_path / "one", [record]), write_study(tmp_path / "two", [better])]
    with pytest.raises(StoreError, match="one of them was changed"):
        merge_studies(studies, tmp_path / "m", "newest")


def test_records_of_versions_without_attempts_come_along(tmp_path: Path) -> None:
    for name, facts in (("a", BIG), ("b", SMALL)):
        study = write_study(tmp_path / name, [on(facts, planted(0.9), loss=float(ord(name)))])
        (record,) = study.records
        journal = tmp_path / name / "records.jsonl"
        journal.write_text(journal.read_text().replace(f'"attempt":"{record.attempt}"', '"attempt":""'))
        for folder in ("series", "exhibits"):
            (path,) = (tmp_path / name / folder).iterdir()
            path.rename(path.with_name(path.name.replace(f".{record.attempt}", "")))
    studies = [StoredStudy.read(tmp_path / name) for name in ("a", "b")]
    merge_studies(studies, tmp_path / "m")
    merge_studies(studies, tmp_path / "m")
    merged = StoredStudy.read(tmp_path / "m")
    assert len(merged.records) == 2
    assert len({tuple(merged.series(one.trial_id, one.attempt)[0].y) for one in merged.records}) == 2


def test_damage_is_reported_and_kept_in_mind(tmp_path: Path) -> None:
    studies = three(tmp_path)
    with (tmp_path / "b" / "records.jsonl").open("ab") as file:
        file.write(b"no record\n")
    studies[1] = StoredStudy.read(tmp_path / "b")
    merged = merge_studies(studies, tmp_path / "m")
    assert any("line 2 of the journal of b is no record" in one for one in merged.warnings)
    told = StudyStore(tmp_path / "m").description()["merged"]
    assert [len(one["damage"]) for one in told] == [0, 1, 0]
    with pytest.raises(StoreError, match=r"(?s)--strict refuses.*journal of b"):
        merge_studies(studies, tmp_path / "n", strict=True)
    assert not (tmp_path / "n").exists()


def test_a_damaged_output_is_kept_beside_the_one_that_replaces_it(tmp_path: Path) -> None:
    studies = three(tmp_path)
    merge_studies(studies[:1], tmp_path / "m")
    journal = tmp_path / "m" / "records.jsonl"
    damaged = journal.read_bytes() + b"no record\n"
    journal.write_bytes(damaged)
    merged = merge_studies(studies[1:], tmp_path / "m")
    (kept,) = (tmp_path / "m").glob("records.jsonl.*")
    assert kept.read_bytes() == damaged
    assert any(kept.name in one for one in merged.warnings)
    assert len(StoredStudy.read(tmp_path / "m").records) == 4


class _StoppedError(BaseException):
    pass


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("at", ["copy_files", "_check_unchanged", "unite"])
def test_an_interrupt_leaves_no_half_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool, at: str
) -> None:
    studies = three(tmp_path)
    if exists:
        merge_studies(studies[:1], tmp_path / "m")
    before = content(tmp_path / "m") if exists else {}

    def stop(*given: Any) -> Any:
        if at == "copy_files":
            yield from real(*given)
        raise _StoppedError

    from benchsuite.running.merge import merge

    real = getattr(merge, at)

    def stop_now(*_: Any) -> Any:
        raise _StoppedError

    monkeypatch.setattr(merge, at, stop if at == "copy_files" else stop_now)
    with pytest.raises(_StoppedError):
        merge_studies(studies, tmp_path / "m")
    monkeypatch.undo()
    assert (content(tmp_path / "m") if exists else {}) == before
    assert not list(tmp_path.glob(".m.*"))
    assert merge_studies(studies, tmp_path / "m").records == 4


def test_a_study_that_is_being_written_is_no_output(tmp_path: Path) -> None:
    studies = three(tmp_path)
    store = StudyStore(tmp_path / "m")
    with store.writing(), pytest.raises(StoreError, match="being written by another run"):
        merge_studies(studies, tmp_path / "m")


def test_a_folder_that_is_no_study_is_no_output(tmp_path: Path) -> None:
    studies = three(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.tex").write_text("mine")
    with pytest.raises(StoreError, match=r"not a study: it holds thesis\.tex"):
        merge_studies(studies, tmp_path / "m")
    assert (tmp_path / "m" / "thesis.tex").read_text() == "mine"


def test_races_of_one_second_on_two_machines_both_come_along(tmp_path: Path) -> None:
    studies = three(tmp_path)
    for name in ("a", "b"):
        folder = tmp_path / name / "races"
        folder.mkdir(exist_ok=True)
        (folder / "20261128T120000Z.json").write_text(json.dumps({"of": name}))
        (folder / "20261128T120000Z.parquet").write_text(name)
    (tmp_path / "b" / "races" / "20261128T130000Z.parquet").write_text("of a race that did not end")
    for _ in range(2):
        merge_studies(studies, tmp_path / "m")
    merge_studies([StoredStudy.read(tmp_path / "m")], tmp_path / "n")
    for output in ("m", "n"):
        files = {path.name: path.read_text() for path in (tmp_path / output / "races").iterdir()}
        assert len(files) == 4
        for name, text in files.items():
            if name.endswith(".parquet"):
                assert json.loads(files[name.replace(".parquet", ".json")]) == {"of": text}


def test_the_study_goes_on_where_it_was_merged(tmp_path: Path) -> None:
    """A record that is appended later replaces that of its own machine, and leaves the other machine's."""
    merge_studies(three(tmp_path), tmp_path / "m")
    store = StudyStore(tmp_path / "m")
    with store.writing():
        store.history()
        store.append(on(SMALL, planted(0.99), 900.0, loss=9.0))
    study = StoredStudy.read(tmp_path / "m")
    same = [one for one in study.records if one.trial.seed == 0]
    assert sorted(one.scalars["test/accuracy"] for one in same) == [0.9, 0.99]
    assert sorted(study.series(one.trial_id, one.attempt)[0].y[0] for one in same) == [3.0, 9.0]
    assert StudyStore(tmp_path / "m").description()["merged"]


def test_what_a_merge_left_that_was_killed_is_removed_and_what_runs_is_not(tmp_path: Path) -> None:
    studies = three(tmp_path)
    for name in ("dead", "alive"):
        write_study(tmp_path / f".m.merging-{name}", [planted()])
    with StudyStore(tmp_path / ".m.merging-alive").writing():
        merge_studies(studies, tmp_path / "m")
    assert [path.name for path in tmp_path.glob(".m.merging-*")] == [".m.merging-alive"]
