"""Which timing counts, by which clock, and why a trial is not ranked."""

from __future__ import annotations

import math
import time

import pytest
from fixtures.planted import planted
from fixtures.records import record
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis import validity
from benchsuite.analysis.cautions import CautionKind, cautions
from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.training_time import training_time
from benchsuite.analysis.validity import problem_reason
from benchsuite.schema import INVALID_TIMING, Record, Series, Status
from benchsuite.schema.texts import MOST_REASON


def with_verdicts(**verdicts: str) -> Record:
    return planted().model_copy(update={"verdicts": verdicts})


@pytest.mark.parametrize(
    ("record", "problem", "ranked"),
    [
        (planted(), "", True),
        (planted(timing="unstable"), "", True),
        *((planted(timing=word), word, True) for word in INVALID_TIMING),
        *((planted(status=status), str(status), False) for status in Status if status is not Status.OK),
        (with_verdicts(parity="breach", speed="cached"), "parity breach", False),
        (with_verdicts(parity="not_checked"), "parity not checked", False),
        (with_verdicts(), "parity not checked", False),
    ],
)
def test_every_record_has_one_problem_or_none(record: Record, problem: str, ranked: bool) -> None:
    assert validity.problem(record) == problem
    assert validity.is_ranked(record) is ranked
    assert bool(validity.problem_reason(record)) is bool(problem)
    assert validity.has_valid_timing(record) is (problem == "")
    assert not problem or problem in validity.GRAVEST_FIRST


@pytest.mark.parametrize(
    ("reason", "exception", "expected"),
    [
        ("out of memory\nmore", "", "out of memory"),
        ("", "ValueError: bad", "ValueError: bad"),
        ("", "", "the worker gave no reason"),
    ],
)
def test_a_reason_is_one_line_and_never_blank(reason: str, exception: str, expected: str) -> None:
    record = planted(status=Status.FAILED).model_copy(update={"reason": reason, "exception": exception})
    assert validity.problem_reason(record) == expected


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_of_a_refused_timing_no_figure_and_no_sample_counts(word: str) -> None:
    record = planted(timing=word)
    assert validity.seconds(record) is None
    assert validity.sequences_per_second(record) is None
    assert validity.unsteady(record) == ""
    kept = validity.valid_scalars(record)
    assert not [name for name in kept if name.startswith(("speed/step_", "speed/sequences_per_second"))]
    assert {"speed/import_seconds", "speed/build_seconds", "test/accuracy", "train/seconds"} <= set(kept)
    series = [Series(name=name, axis="sample", x=[1], y=[1]) for name in ("speed/step_wall", "train/loss")]
    assert [one.name for one in validity.valid_series(record, series)] == ["train/loss"]


def test_of_a_valid_timing_everything_counts() -> None:
    record = planted(timing="unstable")
    assert validity.valid_scalars(record) == record.scalars
    series = [Series(name="speed/step_wall", axis="sample", x=[1], y=[1])]
    assert validity.valid_series(record, series) == series


@pytest.mark.parametrize(
    ("executions", "clock"),
    [
        ([{}], "cpu"),
        ([{"threads": 4}], "wall"),
        ([{"device": "gpu"}], "wall"),
        ([{}, {"threads": 4}], "wall"),
        ([{}, {"unroll": "fused"}], "cpu"),
    ],
)
def test_processor_time_counts_where_every_trial_has_one_thread_on_a_cpu(
    executions: list[dict[str, object]], clock: str
) -> None:
    records = [planted(execution=execution) for execution in executions]
    assert validity.clock(record.trial for record in records) == clock
    assert validity.common_clock(records) == clock


def test_without_a_processor_time_wall_time_counts() -> None:
    record = planted()
    scalars = {name: value for name, value in record.scalars.items() if name != "speed/step_cpu_seconds"}
    old = record.model_copy(update={"scalars": scalars})
    assert validity.common_clock([record, old]) == "wall"
    assert validity.seconds(old) == 0.002


@given(step=st.floats(1e-6, 10.0), cpu=st.floats(1e-6, 10.0))
def test_a_speed_and_a_time_say_the_same_by_either_clock(step: float, cpu: float) -> None:
    record = planted(step=step, cpu=cpu)
    for by in ("cpu", "wall"):
        seconds = validity.seconds(record, by=by)
        speed = validity.sequences_per_second(record, by=by)
        assert seconds is not None
        assert speed is not None
        assert speed * seconds == pytest.approx(10.0)


@given(wall=st.floats(1e-6, 1.0), cpu=st.floats(1e-6, 1.0))
def test_wall_far_above_cpu_on_one_thread_is_not_steady(wall: float, cpu: float) -> None:
    assert bool(validity.unsteady(planted(step=wall, cpu=cpu))) is (wall > 1.25 * cpu)
    assert not validity.unsteady(planted(step=wall, cpu=cpu, execution={"threads": 2}))


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0])
def test_a_time_that_is_none_is_no_time(value: float) -> None:
    record = planted(scalars={"speed/step_median_seconds": value})
    assert validity.seconds(record, by="wall") is None


@pytest.mark.parametrize("status", list(Status))
def test_a_breach_of_parity_is_a_failure_however_the_trial_ended(status: Status) -> None:
    made = with_verdicts(parity="breach").model_copy(update={"status": status})
    assert validity.is_failure(made)


def test_a_reason_of_any_length_is_one_short_line_at_once() -> None:
    begin = time.monotonic()
    long = record(status=Status.FAILED, reason="x" * 50_000_000)
    lines = record(status=Status.FAILED, reason="first\n" * 10_000_000)
    assert len(problem_reason(long)) <= MOST_REASON
    assert problem_reason(lines) == "first"
    assert time.monotonic() - begin < 2


def in_a_run(facts: dict[str, str], cpu: float = 1.0, **fields: object) -> Record:
    """A record of a run with several jobs, whose training took one second of wall time."""
    scalars = {"train/cpu_seconds": cpu, "energy/train_joules": 5.0, "train/time_to_target_seconds": 0.5}
    found = planted(trained=1.0, scalars=scalars, **fields)  # type: ignore[arg-type]
    return found.model_copy(update={"environment": found.environment | facts})


OWN = {"run.jobs": "2", "run.beside": "1", "run.cores": "own", "run.timed_alone": "yes"}


@pytest.mark.parametrize(
    ("record", "slowed"),
    [
        (in_a_run({}), ""),
        (in_a_run({"run.jobs": "1"}), ""),
        (in_a_run({"run.jobs": "2", "run.beside": "0"}), ""),
        (in_a_run(OWN), ""),
        (in_a_run(OWN | {"run.jobs": "1"}), ""),
        (
            in_a_run(OWN, cpu=0.5),
            "1 other trial worked beside it, and wall time was 2.0 times the processor time",
        ),
        (in_a_run(OWN, cpu=0.5, execution={"threads": 4}), ""),
        (
            in_a_run(OWN | {"run.cores": "any"}),
            "1 other trial worked beside it, and it had no cores of its own",
        ),
        (
            in_a_run(OWN | {"run.beside": "3", "run.cores": "hardware threads"}),
            "3 other trials worked beside it, on other hardware threads of its cores",
        ),
        (in_a_run({"run.jobs": "3"}), "2 other trials worked beside it, and it had no cores of its own"),
        (
            in_a_run(OWN, execution={"device": "gpu"}),
            "1 other trial worked beside it, and may have used the same device",
        ),
    ],
)
def test_seconds_of_a_training_that_others_slowed_down_count_nowhere(record: Record, slowed: str) -> None:
    assert validity.slowed_training(record) == slowed
    assert (training_time(record) is None) == bool(slowed)
    kept = validity.valid_scalars(record)
    for name in ("train/seconds", "train/time_to_target_seconds", "speed/build_seconds"):
        assert (name in kept) != bool(slowed)
    assert ("energy/train_joules" in kept) == (validity.others_beside(record) == 0)
    assert bool(validity.reasons_left_out(record)) == (kept != record.scalars)
    assert {"speed/step_median_seconds", "test/accuracy", "train/steps"} <= set(kept)
    (ranking,) = rankings([record])
    told = [one.sentence for one in cautions(ranking, ranking.models[0]) if one.kind is CautionKind.SLOWED]
    assert [slowed in one for one in told] == [True] * bool(slowed)


@pytest.mark.parametrize(("note", "reused"), [("", 0), ("0", 0), ("1", 1), ("7", 7), ("-1", 0), ("many", 0)])
def test_seconds_of_a_training_whose_functions_were_compiled_before_count_nowhere(
    note: str, reused: int
) -> None:
    record = in_a_run({"backend.compilations_reused": note})
    assert validity.reused_compilations(record) == reused
    assert (training_time(record) is None) == bool(reused)
    assert ["compiled" in phrase for phrase in validity.reasons_left_out(record)] == [True] * bool(reused)
    kept = validity.valid_scalars(record)
    for name in ("train/seconds", "train/time_to_target_seconds", "speed/build_seconds"):
        assert (name in kept) != bool(reused)
    assert {"speed/step_median_seconds", "test/accuracy", "train/steps"} <= set(kept)
    (ranking,) = rankings(
        [record, in_a_run({}).model_copy(update={"trial": record.trial.model_copy(update={"seed": 9})})]
    )
    told = [
        one.sentence
        for one in cautions(ranking, ranking.models[0])
        if one.kind is CautionKind.COMPILED_BEFORE
    ]
    assert ["1 of its 2 trials" in one for one in told] == [True] * bool(reused)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"run.timed_alone": "no", "run.jobs": "1"}, ""),
        ({"run.timed_alone": "no", "run.jobs": "2"}, "beside"),
        ({"run.timed_alone": "yes", "run.jobs": "2", "run.beside": "1"}, ""),
        ({"run.jobs": "2"}, ""),
    ],
)
def test_what_was_timed_beside_others_is_refused(facts: dict[str, str], word: str) -> None:
    record = in_a_run(facts)
    assert validity.invalid_timing(record) == word
    assert (validity.seconds(record) is None) == bool(word)
    not_timed = record.model_copy(update={"verdicts": {"parity": "ok"}})
    assert validity.invalid_timing(not_timed) == ""
