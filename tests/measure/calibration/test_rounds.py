"""Candidates are timed in turn, and what is not faster beyond noise is not chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.measure.calibration.rounds import HOPELESS, LEAST_TURNS, MOST_TURNS, interleaved, winner


class Simulated:
    """A clock that only the calls move on; `order` is who was called."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []

    def __call__(self) -> float:
        return self.now

    def call(self, name: str, seconds: float) -> None:
        self.now += seconds
        self.order.append(name)


def calls(clock: Simulated, seconds: dict[str, float]) -> dict[str, object]:
    return {name: lambda name=name: clock.call(name, seconds[name]) for name in seconds}


def test_all_are_timed_in_every_round_and_the_hopeless_ones_no_more() -> None:
    clock = Simulated()
    taken = {"a": 1.0, "b": 1.2, "hopeless": HOPELESS * 1.1}
    found = interleaved(calls(clock, taken), clock)  # type: ignore[arg-type]
    assert {name: len(rounds) for name, rounds in found.items()} == {
        "a": MOST_TURNS,
        "b": MOST_TURNS,
        "hopeless": 1,
    }
    for name, rounds in found.items():
        np.testing.assert_allclose(rounds, taken[name])
    after = clock.order[3 + 3 :]
    assert after == ["a", "b"] * (len(after) // 2)


def test_short_calls_are_repeated_within_a_round() -> None:
    clock = Simulated()
    found = interleaved(calls(clock, {"a": 0.001}), clock)  # type: ignore[arg-type]
    np.testing.assert_allclose(found["a"], 0.001)
    assert len(clock.order) >= 10 * MOST_TURNS


def test_no_round_begins_when_the_time_is_up_but_the_least_are_made() -> None:
    clock = Simulated()
    found = interleaved(calls(clock, {"a": 1.0}), clock, budget=0.0)  # type: ignore[arg-type]
    assert len(found["a"]) == LEAST_TURNS


@pytest.mark.parametrize(
    ("medians", "expected"),
    [
        ([1.0, 0.9], "1"),
        ([1.0, 0.99], "0"),
        ([1.0, 0.9, 0.899], "1"),
        ([1.0, 0.9, 0.8], "2"),
        ([1.0, 1.5, 0.5], "2"),
        ([1.0], "0"),
    ],
)
def test_another_is_taken_only_where_it_is_faster_by_more_than_the_least_gain(
    medians: list[float], expected: str
) -> None:
    assert winner({str(place): np.full(MOST_TURNS, value) for place, value in enumerate(medians)}) == expected


def test_a_candidate_that_was_given_up_early_is_compared_in_the_rounds_that_it_has() -> None:
    assert winner({"a": np.full(1, 3.0), "b": np.full(MOST_TURNS, 1.0)}) == "b"


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3))
def test_equal_candidates_leave_the_default(seed: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    noise = {name: np.exp(random.normal(0, spread, MOST_TURNS)) for name in "ab"}
    gain = np.percentile(noise["b"] / noise["a"], 75)
    assert winner(noise) == ("a" if gain >= 0.98 else "b")
