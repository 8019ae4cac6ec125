"""Comparisons of studies find what was planted, find nothing in nothing, and compare no speeds of different
machines."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from fixtures.records import record

from benchsuite.analysis.comparison import Selection, StudyComparison, Verdict, compare, parse_selection
from benchsuite.errors import RequestError
from benchsuite.schema import Record, Status

CELLS, ARCHITECTURES, BACKENDS = (
    ("rnn", "lstm", "gru"),
    ("plain", "deep", "bidirectional"),
    ("numpy", "torch"),
)
A, B = parse_selection("a"), parse_selection("b")


def study(
    seed: int,
    seeds: tuple[int, ...] = (0, 1, 2),
    slower: Callable[[Record], float] = lambda _: 1.0,
    loss: float = 0.0,
    training: int = 0,
) -> list[Record]:
    """A study as a machine makes it: metrics vary with the model's training (alike in every backend, drawn from
    `training`), step times by 3 % from run to run (drawn from `seed`)."""
    noise, found = np.random.default_rng(seed), list[Record]()
    for cell, architecture, at in itertools.product(CELLS, ARCHITECTURES, seeds):
        trained = np.random.default_rng([training, len(found), at]).normal(0.9, 0.008)
        for backend in BACKENDS:
            one = record(trained - loss, cell=cell, architecture=architecture, backend=backend, seed=at)
            seconds = 0.01 * slower(one) * float(np.exp(noise.normal(0, 0.03)))
            times = {"speed/step_cpu_seconds": seconds, "speed/step_median_seconds": seconds}
            environment = {"hardware.cpu": "one", "hardware.cores": "2"}
            found.append(one.model_copy(update={"scalars": one.scalars | times, "environment": environment}))
    return found


def words(found: StudyComparison, part: str) -> set[str]:
    return {str(effect.verdict) for effect in getattr(found, part)}


def test_a_study_is_the_same_as_itself() -> None:
    records = study(1)
    found = compare(records, records, A, A)
    assert found.verdict is Verdict.SAME
    assert {str(effect.verdict) for effect in found.effects} == {"same"}
    assert not found.regressions(0.0)
    assert not found.pairing.alone


def test_a_study_of_one_trial_is_the_same_as_itself() -> None:
    records = study(1, seeds=(0,))[:1]
    assert compare(records, records, A, A).verdict is Verdict.SAME


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_a_slowdown_by_a_tenth_is_found(seeds: tuple[int, ...]) -> None:
    found = compare(study(1, seeds), study(2, seeds, slower=lambda _: 1.1), A, B)
    assert found.verdict is Verdict.WORSE
    assert words(found, "speeds") == {"worse"}
    assert words(found, "metrics") == {"same"}
    assert len(found.regressions(0.05)) >= 2
    assert not found.regressions(0.25)


def test_the_faster_one_is_better() -> None:
    found = compare(study(1, slower=lambda _: 1.1), study(2), A, B)
    assert words(found, "speeds") == {"better"}
    assert found.verdict is Verdict.BETTER


def test_a_slowdown_of_one_trial_stands_out() -> None:
    def slower(one: Record) -> float:
        trial = one.trial
        return (
            1.3
            if (trial.cell, trial.architecture, trial.backend, trial.seed) == ("gru", "deep", "torch", 1)
            else 1.0
        )

    found = compare(study(1), study(2, slower=slower), A, B)
    assert [effect.verdict for effect in found.by_trial] == [Verdict.WORSE]
    assert "gru deep torch" in found.by_trial[0].where
    assert "seed 1" in found.by_trial[0].where


def test_a_loss_of_one_point_of_accuracy_is_found() -> None:
    found = compare(study(1), study(2, loss=0.01), A, B)
    assert words(found, "metrics") == {"worse"}
    assert words(found, "speeds") <= {"same", "unclear"}
    assert found.metrics[0].difference == pytest.approx(-0.01)
    assert found.metrics[0].n == 3  # seeds; models are strata, and backends repeat one another


def test_a_loss_of_one_point_is_found_below_the_noise_of_other_seeds() -> None:
    """Not the same trainings less a point, but other trainings."""
    b = study(2, (3, 4, 5), loss=0.01, training=1)
    moved = [
        one.model_copy(update={"trial": one.trial.model_copy(update={"seed": one.trial.seed - 3})})
        for one in b
    ]
    found = compare(study(1), moved, A, B)
    assert words(found, "metrics") == {"worse"}


def test_nothing_is_seldom_called_something() -> None:
    """200 pairs of studies that differ in luck alone: at most one in twenty may be called better or worse."""
    alarms = sum(
        compare(study(2 * n), study(2 * n + 1, training=n + 1), A, B).verdict
        in (Verdict.BETTER, Verdict.WORSE)
        for n in range(200)
    )
    assert alarms <= 10


def test_speeds_of_other_hardware_are_not_compared() -> None:
    b = [
        one.model_copy(update={"environment": one.environment | {"hardware.cpu": "two"}}) for one in study(2)
    ]
    found = compare(study(1), b, A, B)
    assert not found.speeds
    assert not found.by_trial
    assert found.pairing.foreign_hardware == {"hardware.cpu": ("one", "two")}
    assert words(found, "metrics") == {"same"}


def test_two_selections_of_one_study_are_paired_by_what_they_share() -> None:
    records = study(1, slower=lambda one: 2.0 if one.trial.backend == "torch" else 1.0)
    left, right = parse_selection("a:backend=numpy"), parse_selection("a:backend=torch")
    found = compare(left.choose(records), right.choose(records), left, right)
    assert len(found.pairing.pairs) == 27
    assert [effect.where for effect in found.speeds] == ["numpy → torch cpu"]
    assert found.speeds[0].change == pytest.approx(1.0, abs=0.1)


def test_what_is_not_ranked_or_has_no_partner_is_named() -> None:
    a, b = study(1), study(2)[2:]
    b[0] = b[0].model_copy(update={"status": Status.FAILED, "reason": "out of memory"})
    found = compare(a, b, A, B)
    assert [(side, why) for side, _, why in found.pairing.alone] == [
        ("A", "B has no such trial"),
        ("A", "B has no such trial"),
        ("B", "failed: out of memory"),
    ]


def test_one_seed_of_one_model_is_unclear() -> None:
    a, b = [record(0.9)], [record(0.8)]
    found = compare(a, b, A, B)
    assert found.verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quick", Selection("quick")),
        ("results/quick:cell=lstm,gru", Selection("results/quick", {"cell": ("lstm", "gru")})),
        (
            "quick:backend=torch;device=cpu",
            Selection("quick", {"backend": ("torch",), "execution.device": ("cpu",)}),
        ),
    ],
)
def test_a_selection_is_read(text: str, expected: Selection) -> None:
    assert parse_selection(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quick:torch", "'torch' is no condition; write STUDY:field=value"),
        ("quick:bakend=torch", "unknown field 'bakend'"),
    ],
)
def test_a_selection_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        parse_selection(text)


def test_a_value_that_no_trial_has_is_refused() -> None:
    with pytest.raises(RequestError, match=r"no trial of a has cell=lsmt; there are: gru, lstm, rnn"):
        parse_selection("a:cell=lsmt").choose(study(1))
