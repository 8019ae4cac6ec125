"""Seconds from the start to the trained model, and when faster steps pay."""

from __future__ import annotations

import math

import pytest
from fixtures.planted import planted
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.seeds import Aggregate, aggregate
from benchsuite.analysis.training_time import break_even, seconds_to_trained, training_time
from benchsuite.schema import Status


def run(step: float, trained: float, backend: str = "numpy") -> Aggregate:
    [found] = aggregate([planted(step=step, trained=trained, backend=backend)])
    return found


def test_the_import_is_apart_and_compilation_is_a_part() -> None:
    found = training_time(planted(step=0.01, trained=5.0, scalars={"speed/build_seconds": 2.0}))
    assert found is not None
    assert found.to_trained == pytest.approx(7.0)
    assert found.imported == 0.5
    assert found.compiled == pytest.approx(5.0 - 99 * 0.01 - 0.01)
    assert found.steps == 100


@pytest.mark.parametrize(
    "record", [planted(status=Status.FAILED), planted(scalars={"train/seconds": math.nan})]
)
def test_what_is_not_ranked_or_not_known_has_none(record: object) -> None:
    assert training_time(record) is None  # type: ignore[arg-type]


@given(fast=st.floats(1e-4, 1e-2), slower=st.floats(1.1, 10.0), late=st.floats(0.0, 100.0))
def test_from_the_break_even_on_the_faster_steps_are_trained_sooner(
    fast: float, slower: float, late: float
) -> None:
    slow = fast * slower
    a, b = run(fast, 100 * fast + late), run(slow, 100 * slow)
    found = break_even(a, b)
    assert found is not None
    assert late + found * fast == pytest.approx(found * slow, rel=1e-6, abs=1e-6)


def test_steps_that_are_not_faster_never_pay() -> None:
    found = break_even(run(0.002, 5.0), run(0.001, 1.0))
    assert found is not None
    assert math.isinf(found)


def test_who_is_sooner_from_the_first_step_on_pays_at_once() -> None:
    found = break_even(run(0.001, 0.1), run(0.002, 5.0))
    assert found is not None
    assert found == 0


def test_a_refused_timing_has_seconds_to_trained_and_no_break_even() -> None:
    [refused] = aggregate([planted(timing="cached", trained=3.0)])
    found = seconds_to_trained(refused)
    assert found is not None
    assert found.mean == pytest.approx(3.0)
    assert break_even(refused, run(0.002, 1.0)) is None
