"""Races over real workers: who dies is out and named, the others are judged, and nothing measured is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from fixtures.scripted import BACKENDS, scripted_trial, wait_until, workers

from benchsuite.contracts import RunOptions
from benchsuite.errors import StoreError
from benchsuite.measure.timing.cores import cores_of
from benchsuite.running.races import Race, RaceGroup, RaceResults, SpeedVerdict, read_races, run_races
from benchsuite.running.races.files import SAMPLE_COLUMNS
from benchsuite.running.races.rotation import Retired
from benchsuite.running.races.runner import GroupFinished, GroupStarted, RaceEvent, RoundFinished
from benchsuite.running.races.workers import RaceRunner
from benchsuite.running.store import RACES
from benchsuite.schema import Trial

ROUNDS = 7


def run(
    folder: Path, racers: dict[str, Trial], heard: list[RaceEvent] | None = None, **more: object
) -> RaceResults:
    folder.mkdir(exist_ok=True)
    options = RunOptions(**{key: more.pop(key) for key in ("pin", "timeout") if key in more})  # type: ignore[arg-type]
    on_event = more.pop("on_event", (heard if heard is not None else []).append)
    with RaceRunner(list(racers.values()), options, BACKENDS, "scripted_worker") as runner:
        given = {"what": "step", "rounds": ROUNDS, **more}
        return run_races(folder, [RaceGroup("group", racers)], runner, on_event=on_event, **given)  # type: ignore[arg-type]


def only(results: RaceResults) -> Race:
    (race,) = results.races
    return race


def three(do: str = "ok", **options: Any) -> dict[str, Trial]:
    return {
        "fast": scripted_trial(seconds=1.0),
        "slow": scripted_trial(backend="scripted2", seconds=1.2),
        "third": scripted_trial(do, seed=1, seconds=1.1, **options),
    }


def test_everyone_runs_every_round_and_the_order_is_told(tmp_path: Path) -> None:
    heard: list[RaceEvent] = []
    race = only(run(tmp_path / "s", three(), heard))
    assert race.judgement is not None
    assert [one.racer for one in race.judgement.ranks] == ["fast", "third", "slow"]
    assert race.judgement.rounds == ROUNDS
    pair = race.judgement.ranks[-1].pair
    assert pair is not None
    assert pair.ratio == pytest.approx(1.2, rel=0.02)
    assert {type(event) for event in heard} >= {GroupStarted, RoundFinished, GroupFinished}
    assert [event.number for event in heard if isinstance(event, RoundFinished)] == list(range(1, ROUNDS + 1))
    assert wait_until(lambda: not workers())


def test_what_is_stored_is_what_was_returned_and_holds_every_sample(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    first, second = run(folder, three(), what="inference"), run(folder, three(), clock="wall")
    assert sorted(read_races(folder), key=lambda one: one.started) == [first, second]
    assert [one.what for one in (first, second)] == ["inference", "step"]
    assert only(first).racers[0].facts == {"scripted.what": "inference"}
    assert (only(first).clock, only(second).clock) == ("cpu", "wall")
    files = sorted((folder / RACES).glob("*.parquet"))
    assert len(files) == 2
    table = pyarrow.parquet.read_table(files[0])
    assert table.column_names == list(SAMPLE_COLUMNS)
    assert len(table) == 3 * ROUNDS
    assert not list((folder / RACES).glob("*.partial"))


@pytest.mark.parametrize(
    ("do", "reason"), [("segfault", "died with signal 11 (SIGSEGV)"), ("refuse", "not again")]
)
def test_who_dies_in_a_lap_is_out_and_the_others_go_on(tmp_path: Path, do: str, reason: str) -> None:
    heard: list[RaceEvent] = []
    race = only(run(tmp_path / "s", three(do), heard))
    third = race.racers[2]
    assert (third.name, third.out_since, third.broken) == ("third", 2, True)
    assert reason in third.problem
    assert race.judgement is not None
    assert [one.racer for one in race.judgement.ranks] == ["fast", "slow"]
    assert race.judgement.rounds == ROUNDS
    assert [event.racer for event in heard if isinstance(event, Retired)] == ["third"]


@pytest.mark.parametrize(
    ("third", "reason", "broken"),
    [
        (scripted_trial("fail"), "breaks parity", True),
        (scripted_trial("unsupported"), "the scripted has no such thing", False),
        (scripted_trial(backend="scripted_crash"), "SIGSEGV", True),
        (scripted_trial(backend="scritped"), "did you mean 'scripted'", True),
    ],
)
def test_who_cannot_start_is_named_and_the_others_race(
    tmp_path: Path, third: Trial, reason: str, broken: bool
) -> None:
    race = only(run(tmp_path / "s", {**three(), "third": third}))
    assert reason in race.racers[2].problem
    assert (race.racers[2].broken, race.racers[2].out_since) == (broken, None)
    assert race.judgement is not None
    assert len(race.judgement.ranks) == 2


def test_one_alone_is_not_judged(tmp_path: Path) -> None:
    race = only(
        run(tmp_path / "s", {"a": scripted_trial(), "b": scripted_trial("fail", backend="scripted2")})
    )
    assert race.judgement is None


def test_an_interrupt_keeps_the_rounds_that_were_run(tmp_path: Path) -> None:
    def listen(event: RaceEvent) -> None:
        if isinstance(event, RoundFinished) and event.number == 6:
            raise KeyboardInterrupt

    results = run(tmp_path / "s", three(), on_event=listen, rounds=1000)
    assert results.interrupted
    judged = only(results).judgement
    assert judged is not None
    assert judged.rounds == 5  # the sixth had just begun
    assert only(read_races(tmp_path / "s")[0]).judgement == judged
    assert wait_until(lambda: not workers())


def test_an_interrupt_before_the_start_leaves_nothing(tmp_path: Path) -> None:
    def listen(event: RaceEvent) -> None:
        if not isinstance(event, GroupStarted):
            raise KeyboardInterrupt

    results = run(tmp_path / "s", three(), on_event=listen)
    assert results.interrupted
    assert results.races == ()
    assert read_races(tmp_path / "s") == []
    assert wait_until(lambda: not workers())


@pytest.mark.skipif(len(cores_of()) < 2, reason="needs Linux and two cores")
def test_all_racers_share_the_cores(tmp_path: Path) -> None:
    log = tmp_path / "log"
    racers = {name: scripted_trial(backend=name, log=str(log)) for name in ("scripted", "scripted2")}
    results = run(tmp_path / "s", racers)
    places = {line.split(" ", 2)[2] for line in log.read_text().splitlines()}
    assert places == {f"[{results.cores}]"}
    log.unlink()
    results = run(tmp_path / "s", racers, pin=False)
    assert results.cores == ""
    assert {line.split(" ", 2)[2] for line in log.read_text().splitlines()} == {str(sorted(cores_of()))}


def test_threads_without_cores_are_remarked() -> None:
    with RaceRunner([scripted_trial(threads=1000)], RunOptions(), BACKENDS, "scripted_worker") as runner:
        assert runner.cores == ()
        assert not cores_of() or "1000 threads need as many cores" in runner.remark


def test_a_file_that_is_no_race_is_named(tmp_path: Path) -> None:
    (tmp_path / RACES).mkdir()
    (tmp_path / RACES / "x.json").write_text("{}")
    with pytest.raises(StoreError, match=r"x\.json cannot be read"):
        read_races(tmp_path)


def test_words_are_those_that_reports_know() -> None:
    assert {str(word) for word in SpeedVerdict} == {"faster", "slower", "same", "unclear"}
