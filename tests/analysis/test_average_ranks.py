"""Average ranks over tasks, and when there are none."""

from __future__ import annotations

import math

import pytest
from fixtures.records import record

from benchsuite.analysis.average_ranks import AverageRanks, average_ranks
from benchsuite.analysis.ranking import rankings
from benchsuite.schema import Record

SCORES = {"lstm": 0.9, "gru": 0.8, "rnn": 0.7}


def ranks(records: list[Record]) -> AverageRanks | str:
    return average_ranks({one.task: one for one in rankings(records)})


def scored(task: str, **scores: float) -> list[Record]:
    return [record(value, task=task, cell=cell) for cell, value in scores.items()]


def test_ranks_over_tasks() -> None:
    found = ranks([one for task in "abcdefgh" for one in scored(task, **SCORES)])
    assert isinstance(found, AverageRanks)
    assert found.models == ("lstm plain", "gru plain", "rnn plain")
    assert found.ranks == (1.0, 2.0, 3.0)
    # Demšar 2006, table 5: q(0.05, 3 models) = 2.343
    assert found.difference == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 8)), abs=1e-3)
    assert found.p < 0.01


@pytest.mark.parametrize(("models", "q"), [(3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_the_tables(models: int, q: float) -> None:
    names = [
        (cell, architecture)
        for architecture in ("plain", "bidirectional", "deep", "attention")
        for cell in SCORES
    ]
    records = [
        record(0.9 - 0.01 * at, task=task, cell=cell, architecture=architecture)
        for task in "abcde"
        for at, (cell, architecture) in enumerate(names[:models])
    ]
    found = ranks(records)
    assert isinstance(found, AverageRanks)
    assert found.difference == pytest.approx(q * math.sqrt(models * (models + 1) / 30), abs=2e-3)


def test_fewer_than_three_tasks_or_models_have_no_ranks_but_a_reason() -> None:
    few = ranks([*scored("a", **SCORES), *scored("b", **SCORES)])
    assert few == "A critical-difference diagram needs at least 3 tasks with a ranking; there are 2."
    gaps = ranks([*scored("a", **SCORES), *scored("b", lstm=1.0), *scored("c", lstm=1.0, gru=0.5)])
    assert isinstance(gaps, str)
    assert "there is 1" in gaps
    assert isinstance(ranks([]), str)


def test_models_that_a_task_lacks_are_named() -> None:
    records = [one for task in "abc" for one in scored(task, **SCORES)]
    records.append(record(0.99, task="a", architecture="attention"))
    found = ranks(records)
    assert isinstance(found, AverageRanks)
    assert found.left_out == ("lstm attention",)


def test_equal_models_share_a_rank_and_no_difference_is_claimed() -> None:
    found = ranks([one for task in "abc" for one in scored(task, lstm=0.5, gru=0.5, rnn=0.5)])
    assert isinstance(found, AverageRanks)
    assert found.ranks == (2.0, 2.0, 2.0)
    assert found.p == 1.0


def test_tasks_that_are_given_other_models_do_not_spoil_the_ranks() -> None:
    records = [one for task in "abc" for one in scored(task, **SCORES)] + scored("d", lstm=0.5)
    found = ranks(records)
    assert isinstance(found, AverageRanks)
    assert len(found.tasks) == 3
    assert found.models == ("lstm plain", "gru plain", "rnn plain")
