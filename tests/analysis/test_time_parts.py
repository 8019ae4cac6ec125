"""Where time went: parts add up to the trial, and backends are compared over the trials that all have."""

from __future__ import annotations

import pytest
from fixtures.planted import planted, timed_parts
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.runs import runs_of
from benchsuite.analysis.time_parts import ADDED, OTHER_PART, TO_TRAINED, shared_times, time_parts
from benchsuite.schema import TIME_PARTS, Record


def whole(record: Record, seconds: float) -> Record:
    return record.model_copy(update={"started": 100.0, "finished": 100.0 + seconds})


@given(
    st.lists(st.floats(0.0, 10.0), min_size=len(TIME_PARTS), max_size=len(TIME_PARTS)), st.floats(0.0, 1.0)
)
def test_the_parts_and_the_rest_are_the_whole_trial(seconds: list[float], rest: float) -> None:
    given_parts = dict(zip(TIME_PARTS, seconds, strict=True))
    found = time_parts(whole(planted(scalars=timed_parts(**given_parts)), sum(seconds) + rest))
    assert found is not None
    assert sum(found.wall.values()) == pytest.approx(sum(seconds) + rest)
    assert found.wall[OTHER_PART] == pytest.approx(rest, abs=1e-9)
    assert set(found.wall) == {*TO_TRAINED, *ADDED}


def test_a_record_of_an_earlier_version_has_no_parts() -> None:
    assert time_parts(planted()) is None
    [found] = runs_of(rankings([planted()]))
    assert shared_times([found], ["numpy"]).backends == ()


def test_backends_are_compared_over_what_all_of_them_ran() -> None:
    records = [
        planted(backend=backend, seed=seed, scalars=timed_parts(training=taken, compile=1.0, parity=0.5))
        for backend, taken, seeds in (("numpy", 2.0, 3), ("jax", 4.0, 2))
        for seed in range(seeds)
    ]
    found = shared_times(runs_of(rankings(records)), ["jax", "numpy"])
    assert [one.backend for one in found.backends] == ["jax", "numpy"]
    assert {one.trials for one in found.backends} == {2}
    jax, numpy = found.backends
    # imported once, by the worker
    assert jax.to_trained == pytest.approx(2 * (4.0 + 1.0) + 0.5)
    assert numpy.to_trained == pytest.approx(2 * (2.0 + 1.0) + 0.5)
    assert numpy.wall["parity"] == 1.0
    assert found.left_out == ()


def test_of_several_ways_the_one_that_is_trained_soonest_counts() -> None:
    records = [
        planted(execution={"unroll": unroll}, scalars=timed_parts(training=taken))
        for unroll, taken in (("dynamic", 3.0), ("static", 2.0))
    ]
    [found] = shared_times(runs_of(rankings(records)), ["numpy"]).backends
    assert (found.trials, found.wall["training"]) == (1, 2.0)


def test_a_backend_that_shares_nothing_is_left_out() -> None:
    records = [
        planted(backend="numpy", seed=0, scalars=timed_parts()),
        planted(backend="numpy", seed=1, scalars=timed_parts()),
        planted(backend="torch", seed=1, scalars=timed_parts()),
        planted(backend="jax", seed=7, scalars=timed_parts()),
    ]
    found = shared_times(runs_of(rankings(records)), ["numpy", "torch", "jax"])
    assert found.left_out == ("jax",)
    assert [(one.backend, one.trials) for one in found.backends] == [("numpy", 1), ("torch", 1)]
