"""Turns: everyone once a round, in an order of the round's own, and who is out does not stop the others."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import RaceSample
from benchsuite.errors import WorkerError
from benchsuite.running.races.rotation import Retired, Turn, rotate


class Runner:
    """Counts its samples; fails in the one of that number."""

    def __init__(self, fails: int | None = None) -> None:
        self.fails, self.samples = fails, 0

    def __call__(self) -> RaceSample:
        if self.samples == self.fails:
            raise WorkerError("the worker died")
        self.samples += 1
        return RaceSample(float(self.samples), 0.0)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(2, 6), st.integers(1, 12), st.integers(0, 99))
def test_everyone_runs_once_a_round_and_places_are_those_of_the_round(
    count: int, rounds: int, seed: int
) -> None:
    racers = {f"r{place}": Runner() for place in range(count)}
    turns = [turn for turn in rotate(racers, rounds, random(seed)) if isinstance(turn, Turn)]
    assert len(turns) == count * rounds
    for number in range(rounds):
        own = [turn for turn in turns if turn.round == number]
        assert [turn.place for turn in own] == list(range(count))
        assert {turn.racer for turn in own} == set(racers)
        assert all(turn.sample.wall == number + 1 for turn in own)


def test_every_place_comes_to_everyone() -> None:
    racers = {name: Runner() for name in "abc"}
    turns = [turn for turn in rotate(racers, 600, random()) if isinstance(turn, Turn)]
    seen = Counter((turn.racer, turn.place) for turn in turns)
    assert len(seen) == 9
    assert all(160 <= count <= 240 for count in seen.values())


@given(st.integers(0, 9))
def test_who_is_out_is_named_and_the_others_go_on(fails: int) -> None:
    racers = {"a": Runner(), "b": Runner(fails), "c": Runner()}
    events = list(rotate(racers, 10, random()))
    assert [event for event in events if isinstance(event, Retired)] == [
        Retired("b", fails, "the worker died")
    ]
    counts = Counter(event.racer for event in events if isinstance(event, Turn))
    assert counts == {"a": 10, "c": 10, **({"b": fails} if fails else {})}


def test_alone_there_is_no_race() -> None:
    racers = {"a": Runner(), "b": Runner(2)}
    events = list(rotate(racers, 10, random()))
    assert isinstance(events[-1], Retired) or racers["a"].samples == 3
    assert racers["a"].samples in (2, 3)
