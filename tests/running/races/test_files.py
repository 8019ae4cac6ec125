"""Races in a study's folder: written again after each, never overwritten by another command."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet
import pytest
from fixtures.records import record

from benchsuite.contracts import RaceSample
from benchsuite.errors import StoreError
from benchsuite.running.races.files import SAMPLE_COLUMNS, RaceFile, read_races
from benchsuite.running.races.rotation import Turn
from benchsuite.running.store import RACES
from benchsuite.schema.race import RACE_FORMAT, Race, Racer, RaceResults

STARTED = 1.7e9


def results(races: int = 1, **fields: object) -> RaceResults:
    racers = (Racer(name="a", trial=record().trial),)
    made = tuple(Race(name=f"race {number}", clock="cpu", racers=racers) for number in range(races))
    return RaceResults.model_validate(
        {"started": STARTED, "finished": STARTED + 1, "what": "step", "rounds": 5, "races": made, **fields}
    )


def test_what_was_written_is_read_with_the_samples_beside_it(tmp_path: Path) -> None:
    file = RaceFile(tmp_path, STARTED)
    turns = [[Turn("a", 0, 0, RaceSample(1.0, 0.5, 0.25))], [Turn("b", 2, 1, RaceSample(2.0, 1.0))]]
    file.write(results(1), turns[:1])
    file.write(results(2), turns)
    assert read_races(tmp_path) == [results(2)]
    table = pyarrow.parquet.read_table(file.path.with_suffix(".parquet"))
    assert table.column_names == list(SAMPLE_COLUMNS)
    assert table.to_pylist() == [
        dict(zip(SAMPLE_COLUMNS, (0, "a", 0, 0, 1.0, 0.5, 0.25), strict=True)),
        dict(zip(SAMPLE_COLUMNS, (1, "b", 2, 1, 2.0, 1.0, 0.0), strict=True)),
    ]


def test_two_commands_of_one_second_keep_both(tmp_path: Path) -> None:
    for rounds in (5, 6, 7):
        RaceFile(tmp_path, STARTED).write(results(rounds=rounds), [[]])
    assert sorted(one.rounds for one in read_races(tmp_path)) == [5, 6, 7]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("{}", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        (
            results().model_dump_json().replace('"rounds":', f'"rounds":{"9" * 5000},"rounds":'),
            "cannot be read",
        ),
        (results(format=RACE_FORMAT + 1).model_dump_json(), "was written by a newer benchsuite"),
    ],
)
def test_a_file_that_is_no_race_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / RACES).mkdir()
    (tmp_path / RACES / "x.json").write_text(content)
    with pytest.raises(StoreError, match=said):
        read_races(tmp_path)


def test_a_study_without_races_has_none(tmp_path: Path) -> None:
    assert read_races(tmp_path) == []
