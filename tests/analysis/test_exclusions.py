"""Which trials are not ranked or not timed, and why."""

from __future__ import annotations

from fixtures.planted import planted

from benchsuite.analysis.exclusions import OTHER_SEED, exclusions
from benchsuite.schema import Status


def test_what_is_ranked_with_all_its_figures_is_not_listed() -> None:
    assert exclusions([planted(), planted(cell="gru", timing="unstable")]) == []


def test_equal_reasons_are_together_and_the_gravest_kind_comes_first() -> None:
    records = [
        planted(cell="rnn", status=Status.SKIPPED, reason="no GPU"),
        planted(cell="lstm", timing="cached"),
        planted(cell="gru", timing="cached"),
        planted(cell="gru", backend="torch", status=Status.FAILED, reason="out of memory"),
        planted(cell="gru", backend="jax", status=Status.DIVERGED, reason="the loss was NaN"),
    ]
    found = exclusions(records)
    assert [(one.kind, len(one.records)) for one in found] == [
        ("failed", 1), ("cached", 2), ("diverged", 1), ("skipped", 1)
    ]  # fmt: skip
    assert [one.is_grave for one in found] == [True, True, False, False]
    assert all(one.reason for one in found)


def test_the_other_seeds_of_a_configuration_that_failed_are_listed_too() -> None:
    records = [planted(seed=0), planted(seed=1), planted(seed=2, status=Status.DIVERGED, reason="NaN")]
    [lost, others] = exclusions(records)
    assert (lost.kind, others.kind) == ("diverged", OTHER_SEED)
    assert [record.trial.seed for record in others.records] == [0, 1]
    assert others.reason == "of the same configuration, seed 2 is diverged"


def test_a_seed_whose_timing_is_refused_does_not_exclude_the_others() -> None:
    assert [one.kind for one in exclusions([planted(seed=0), planted(seed=1, timing="idle")])] == ["idle"]
