"""What a trial will take, from what others took, here and elsewhere."""

from __future__ import annotations

import pytest
from fixtures.planted import planted
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.expected_time import (
    TimeEstimator,
    alone_seconds,
    asked_work,
    expected_sources,
    seconds_of_all,
    taken_seconds,
)
from benchsuite.analysis.machines import machine_of
from benchsuite.analysis.runs import PEAK
from benchsuite.schema import Record, Status

HERE = {"hardware.cpu": "Here", "hardware.cores": "2"}
THERE = {"hardware.cpu": "There", "hardware.cores": "8"}


def took(seconds: float, facts: dict[str, str] = HERE, peak: float | None = None, **fields: object) -> Record:
    scalars = None if peak is None else {PEAK: peak}
    record = planted(0.9, scalars=scalars, **fields)  # type: ignore[arg-type]
    return record.model_copy(update={"environment": facts, "started": 10.0, "finished": 10.0 + seconds})


def estimator(*records: Record, rate: float = 0.0) -> TimeEstimator:
    made = TimeEstimator(machine_of(HERE), lambda: rate)
    made.add(records)
    return made


def test_nothing_is_expected_where_nothing_is_known() -> None:
    assert estimator().expected(planted().trial) is None


def test_other_seeds_of_the_configuration_come_first() -> None:
    found = estimator(took(3.0), took(5.0, seed=1), took(99.0, cell="gru"), took(70.0, THERE))
    expected = found.expected(planted(seed=7).trial)
    assert expected is not None
    assert (expected.seconds, expected.known_from) == (4.0, "records of the configuration")
    assert found.knows(planted(seed=7).trial)
    assert not found.knows(planted(cell="rnn").trial)


@pytest.mark.parametrize(
    ("extra", "rate", "ratio", "why"),
    [
        ((took(2.0, cell="gru"), took(8.0, THERE, cell="gru")), 1e9, 0.25, "trials that ran on both"),
        ((took(2.0, cell="gru", peak=2e9),), 1e9, 2.0, "rates of matrix products"),
        ((), 1e9, 4.0, "rates of matrix products"),
        ((), 0.0, 1.0, "not scaled"),
    ],
)
def test_times_of_another_machine_are_scaled(
    extra: tuple[Record, ...], rate: float, ratio: float, why: str
) -> None:
    expected = estimator(took(12.0, THERE, peak=4e9), *extra, rate=rate).expected(planted(seed=1).trial)
    assert expected is not None
    assert expected.seconds == pytest.approx(12.0 * ratio)
    assert "There, 8 cores" in expected.known_from
    assert why in expected.known_from


def test_trials_that_are_alike_are_compared_by_what_they_ask() -> None:
    longer = planted(recipe={"epochs": 500, "batch_size": 10}).trial
    expected = estimator(took(4.0), took(400.0, task="other")).expected(longer)
    assert expected is not None
    assert expected.seconds == pytest.approx(4.0 * asked_work(longer) / asked_work(planted().trial))
    assert expected.seconds > 8.0
    assert expected.known_from == "trials of its task and backend"
    elsewhere = estimator(took(4.0)).expected(planted(task="other", backend="torch").trial)
    assert elsewhere is not None
    assert elsewhere.known_from == "other trials"


def test_trials_that_did_not_end_teach_nothing() -> None:
    failed = planted(status=Status.FAILED).model_copy(update={"started": 1.0, "finished": 2.0})
    assert estimator(failed, took(0.0)).expected(planted().trial) is None


def test_where_times_are_known_from_is_counted() -> None:
    found = estimator(took(3.0))
    trials = [planted().trial, planted(seed=1).trial, planted(cell="gru").trial]
    assert expected_sources([found.expected(one) for one in trials] + [None]) == [
        ("records of the configuration", 2),
        ("trials of its task and backend", 1),
        ("", 1),
    ]


@pytest.mark.parametrize(
    ("waited", "seconds"), [(None, 8.0), ("3.5", 4.5), ("0.000", 8.0), ("-1", 8.0), ("nan", 8.0), ("x", 8.0)]
)
def test_what_a_trial_waited_for_others_is_no_time_that_it_takes(waited: str | None, seconds: float) -> None:
    record = took(8.0, HERE if waited is None else {**HERE, "run.waited_seconds": waited})
    assert taken_seconds(record) == seconds
    expected = estimator(record).expected(record.trial)
    assert expected is not None
    assert expected.seconds == seconds


@given(st.lists(st.floats(0.0, 1e4), max_size=20), st.integers(1, 64))
def test_several_jobs_end_no_later_than_one_and_no_sooner_than_what_is_timed(
    seconds: list[float], jobs: int
) -> None:
    trial = planted().trial
    each = [(trial, one) for one in seconds]
    found, one = seconds_of_all(each, jobs), seconds_of_all(each, 1)
    timed = sum(min(alone_seconds(trial), one) for one in seconds)
    assert one == pytest.approx(sum(seconds))
    assert max([timed, one / jobs, *seconds], default=0.0) <= found * (1 + 1e-9) + 1e-9
    assert found <= one * (1 + 1e-9)
    assert seconds_of_all(each, jobs + 1) <= found * (1 + 1e-9)
