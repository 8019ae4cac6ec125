"""Studies come together by machine and by what may be compared; every record has a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.records import record

from benchsuite.analysis.machines import UNKNOWN_MACHINE
from benchsuite.errors import StoreError
from benchsuite.report.data import ReportData, collect
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record, Status

BIG = {"hardware.cpu": "Big", "hardware.cores": "64"}
SMALL = {"hardware.cpu": "Small", "hardware.cores": "1"}


def on(environment: dict[str, str], finished: float = 103.0, **fields: Any) -> Record:
    return record(**fields).model_copy(update={"environment": environment, "finished": finished})


def study(folder: Path, *records: Record, environment: dict[str, str] | None = None) -> StoredStudy:
    store = StudyStore(folder)
    with store.writing():
        store.describe({"environment": environment} if environment else {})
        for one in records:
            store.append(one)
    return StoredStudy.load(folder)


def test_rankings_never_mix_hardware(tmp_path: Path) -> None:
    found = collect(
        [
            study(tmp_path / "a", on(BIG), on(BIG, seed=1)),
            study(tmp_path / "b", on(SMALL), on(SMALL, cell="gru")),
        ]
    )
    assert [machine.name for machine in found.machines] == ["Big, 64 cores", "Small, 1 core"]
    assert [one.title for one in found.tasks] == [
        "digits / tiny on Big, 64 cores",
        "digits / tiny on Small, 1 core",
    ]
    assert [len(one.records) for one in found.tasks] == [2, 2]
    assert found.repeated == 0
    assert len({entry.page for entry in found.entries}) == 4


def test_of_a_trial_that_ran_twice_on_one_machine_the_latest_counts(tmp_path: Path) -> None:
    early, late = on(BIG, 100.0, accuracy=0.5), on(BIG, 200.0, accuracy=0.7)
    found = collect([study(tmp_path / "a", early), study(tmp_path / "b", late)])
    assert [entry.counts for entry in found.entries] == [False, True]
    assert found.repeated == 1
    assert [one.scalars["test/accuracy"] for one in found.records] == [0.7]
    (results,) = found.tasks
    assert results.ranking is not None
    assert results.ranking.models[0].metric is not None
    assert results.ranking.models[0].metric.n == 1
    page = f"trial:{late.trial_id}"
    assert [entry.page for entry in found.entries] == [f"{page}-2", page]


def test_what_failed_before_it_could_say_where_ran_where_its_study_did(tmp_path: Path) -> None:
    lost = on({}, status=Status.FAILED, accuracy=None, seed=1)
    named = collect([study(tmp_path / "a", lost, environment=BIG)])
    assert [machine.name for machine in named.machines] == ["Big, 64 cores"]
    guessed = collect([study(tmp_path / "b", on(SMALL), lost)])
    assert [machine.name for machine in guessed.machines] == ["Small, 1 core"]
    unknown = collect([study(tmp_path / "c", lost)])
    assert [machine.name for machine in unknown.machines] == [UNKNOWN_MACHINE]
    assert unknown.tasks[0].ranking is None


def test_boards_are_told_apart_by_the_options_that_differ(tmp_path: Path) -> None:
    records = [on(BIG, options={"horizon": horizon, "window": 24}) for horizon in (12, 24)]
    found = collect([study(tmp_path / "a", *records)])
    assert [one.title for one in found.tasks] == [
        "digits / tiny horizon=12",
        "digits / tiny horizon=24",
    ]
    assert [one.key for one in found.tasks] == [
        "task:digits-tiny-horizon-12",
        "task:digits-tiny-horizon-24",
    ]


def test_an_id_that_is_none_gives_a_page_that_is_no_path(tmp_path: Path) -> None:
    evil = on(BIG).model_copy(update={"id": "../../evil"})
    made = StoredStudy("a", tmp_path, [evil])
    found: ReportData = collect([made])
    assert found.entries[0].page.startswith("trial:evil-")


def test_a_description_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    made = study(tmp_path / "a", on(BIG))
    (tmp_path / "a" / "study.json").write_text("{")
    with pytest.raises(StoreError, match=r"study\.json cannot be read"):
        collect([made])
