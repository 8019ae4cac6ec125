"""Whose files are read of a trial that several machines ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.planted import planted
from fixtures.shards import BIG, SMALL

from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.running.store.attempts import Attempts, attempt_of
from benchsuite.schema import Record


def record(facts: dict[str, str], attempt: str) -> Record:
    return planted().model_copy(update={"environment": facts, "attempt": attempt})


def test_a_record_takes_the_place_of_its_own_machine_s() -> None:
    trial_id = planted().trial_id
    attempts = Attempts.of([record(BIG, "a"), record(SMALL, "b")], Machine())
    assert attempts.kept == {(trial_id, "a"), (trial_id, "b")}
    assert attempts.replace(record(BIG, "c")) == "a"
    assert attempts.kept == {(trial_id, "b"), (trial_id, "c")}
    assert attempts.latest == {trial_id: "c"}


def test_a_record_that_does_not_say_where_it_ran_takes_the_place_of_its_home_s() -> None:
    attempts = Attempts.of([record(BIG, "a"), record(SMALL, "b")], machine_of(SMALL))
    assert attempts.replace(record({}, "c")) == "b"
    unknown = Attempts.of([record({}, "a")], Machine())
    assert unknown.replace(record(BIG, "b")) == "a"
    assert unknown.kept == {(planted().trial_id, "b")}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("0123456789abcdef.01234567.parquet", ("0123456789abcdef", "01234567")),
        ("0123456789abcdef.json", ("0123456789abcdef", "")),
        ("0123456789abcdef.01234567.npz", ("0123456789abcdef", "01234567")),
        ("notes.txt", None),
        ("0123456789abcdef.01234567.parquet.partial", None),
    ],
)
def test_a_file_s_name_says_whose_it_is(name: str, found: tuple[str, str] | None) -> None:
    assert attempt_of(Path(name)) == found
