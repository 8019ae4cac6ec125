"""Mine is compared with what others published of the same trials, on the same machine where there is one."""

from __future__ import annotations

from pathlib import Path

from fixtures import published
from fixtures.synthetic import record, trials

from benchsuite.analysis.machines import machine_of
from benchsuite.publishing.comparable import Comparable, comparable
from benchsuite.publishing.repository import Repository
from benchsuite.schema import Record

TRIALS = list(trials(4))


def of(machine: str, at: float, attempt: str) -> list[Record]:
    return [published.moved(record(trial), machine=machine, at=at, attempt=attempt) for trial in TRIALS]


def ask(repository: Repository, mine: list[Record]) -> Comparable:
    return comparable(repository, mine, [machine_of(one.environment) for one in mine])


def test_the_latest_verified_record_of_the_same_machine_counts(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    published.add(repository, of("A", 1.0, "old"), by="Ada", published=1.0)
    newest = of("A", 5.0, "new")
    published.add(repository, newest, by="Grace", published=2.0)
    published.add(repository, of("B", 9.0, "other"), by="Alan", published=3.0)
    published.add(repository, of("A", 9.0, "claim"), by="Eve", published=4.0, level="claimed")
    found = ask(repository, of("A", 7.0, "mine"))
    assert found.records == newest
    assert found.foreign == 0
    assert len(found.sources) == 1
    assert "(Grace, verified)" in found.sources[0]


def test_other_machines_are_taken_only_where_there_is_none_of_mine(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    published.add(repository, of("B", 9.0, "other"), by="Alan")
    found = ask(repository, of("A", 7.0, "mine"))
    assert found.foreign == len(found.rows) == len(TRIALS)
    published.add(repository, of("A", 1.0, "here")[:1], by="Ada", name="one")
    found = ask(repository, of("A", 7.0, "mine"))
    assert found.foreign == 0
    assert [row.machine.name for row in found.rows] == ["A, 8 cores"]


def test_a_study_is_not_compared_with_itself(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    mine = of("A", 7.0, "mine")
    published.add(repository, mine, by="Ada")
    assert ask(repository, mine).rows == ()
