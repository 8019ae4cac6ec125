"""What a reader must know beside a rank."""

from __future__ import annotations

import math

import pytest
from fixtures.planted import planted

from benchsuite.analysis.cautions import MEANING, Caution, CautionKind, cautions
from benchsuite.analysis.ranking import rankings
from benchsuite.schema import INVALID_TIMING, Record


def told(*records: Record) -> list[Caution]:
    """The cautions on the first model of these records."""
    [ranking] = rankings(records)
    return cautions(ranking, ranking.models[0])


def kinds(*records: Record) -> list[CautionKind]:
    return [one.kind for one in told(*records)]


def test_three_seeds_above_every_baseline_with_steady_timings_need_no_caution() -> None:
    assert told(*(planted(0.9, seed=seed) for seed in range(3))) == []


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (planted(math.nan), CautionKind.NO_RESULT),
        (planted(0.1), CautionKind.BELOW_BASELINE),
        (planted(0.9, scalars={"train/best_epoch": 5.0}), CautionKind.STILL_IMPROVING),
        (planted(0.9), CautionKind.ONE_SEED),
        *((planted(0.9, timing=word), CautionKind.REFUSED) for word in INVALID_TIMING),
        (planted(0.9, timing="unstable"), CautionKind.UNSTEADY),
        (planted(0.9, step=0.0014, cpu=0.0004), CautionKind.UNSTEADY),
    ],
)
def test_each_kind_is_told_of_what_it_is_about(record: Record, kind: CautionKind) -> None:
    assert kind in kinds(record)


def test_every_kind_has_a_general_meaning() -> None:
    assert set(MEANING) == set(CautionKind)


@pytest.mark.parametrize(("best", "is_told"), [(1, False), (2, True), (3, True)])
def test_training_was_cut_short_where_the_last_epoch_was_best_in_half_of_the_trials(
    best: int, is_told: bool
) -> None:
    records = [
        planted(0.9, seed=seed, scalars={"train/best_epoch": 5.0 if seed < best else 2.0})
        for seed in range(4)
    ]
    assert (CautionKind.STILL_IMPROVING in kinds(*records)) is is_told


def test_a_model_of_one_epoch_cannot_be_still_improving() -> None:
    one = planted(0.9, scalars={"train/epochs": 1.0, "train/best_epoch": 1.0})
    assert CautionKind.STILL_IMPROVING not in kinds(one)


def test_a_refused_timing_is_not_also_called_unsteady() -> None:
    one = planted(0.9, timing="cached", step=0.0014, cpu=0.0004)
    assert CautionKind.UNSTEADY not in kinds(one)


def test_several_threads_may_take_more_processor_time_than_wall_time_and_less() -> None:
    many = planted(0.9, step=0.004, cpu=0.001, execution={"threads": 4})
    assert CautionKind.UNSTEADY not in kinds(many)


def test_of_several_disturbed_timings_the_worst_one_is_told() -> None:
    records = [
        planted(0.9, seed=seed, step=step, cpu=0.001) for seed, step in enumerate((0.002, 0.0036, 0.003))
    ]
    [caution] = [one for one in told(*records) if one.kind is CautionKind.UNSTEADY]
    assert caution.sentence == (
        "the timing of numpy is not steady: wall time was 3.6 times the processor time: something else had "
        "the core"
    )


@pytest.mark.parametrize(("slowed", "of"), [(1, " of 1 of its 3 trials"), (3, "")])
def test_it_is_told_of_how_many_trials_the_seconds_of_training_are_left_out(slowed: int, of: str) -> None:
    facts = {"run.beside": "1", "run.cores": "any"}
    records = [planted(0.9, seed=seed) for seed in range(3)]
    records[:slowed] = [
        one.model_copy(update={"environment": one.environment | facts}) for one in records[:slowed]
    ]
    [caution] = [one for one in told(*records) if one.kind is CautionKind.SLOWED]
    assert caution.sentence.startswith(f"the seconds of training with numpy are not shown{of}: 1 other trial")


def test_a_bound_is_no_baseline() -> None:
    bound = planted(0.9).model_copy(update={"baselines": {"true_entropy": {"accuracy": 0.99}}})
    assert CautionKind.BELOW_BASELINE not in kinds(bound)
