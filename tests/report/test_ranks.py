"""Average ranks over tasks, and when there are none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from fixtures.records import record

from benchsuite.report.data import Machine, TaskResults, collect
from benchsuite.report.ranks import Ranks, ranks, verdict
from benchsuite.running.study import Study
from benchsuite.schema import Record

SCORES = {"lstm": 0.9, "gru": 0.8, "rnn": 0.7}


def tasks(folder: Path, records: list[Record]) -> tuple[TaskResults, ...]:
    return collect([Study("s", folder, records)]).tasks


def scored(task: str, **scores: float) -> list[Record]:
    return [record(value, task=task, cell=cell) for cell, value in scores.items()]


def test_ranks_over_tasks(tmp_path: Path) -> None:
    found = ranks(tasks(tmp_path, [one for task in "abcdefgh" for one in scored(task, **SCORES)]))
    assert isinstance(found, Ranks)
    assert found.models == ("lstm plain", "gru plain", "rnn plain")
    assert found.ranks == (1.0, 2.0, 3.0)
    # Demšar 2006, table 5: q(0.05, 3 models) = 2.343
    assert found.difference == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 8)), abs=1e-3)
    assert found.p < 0.01
    assert "Not distinguishable from it over so many tasks: gru plain" in verdict(found)


@pytest.mark.parametrize(("models", "q"), [(3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_the_tables(models: int, q: float, tmp_path: Path) -> None:
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
    found = ranks(tasks(tmp_path, records))
    assert isinstance(found, Ranks)
    assert found.difference == pytest.approx(q * math.sqrt(models * (models + 1) / 30), abs=2e-3)


def test_fewer_than_three_tasks_or_models_have_no_ranks_but_a_reason(tmp_path: Path) -> None:
    few = ranks(tasks(tmp_path, [*scored("a", **SCORES), *scored("b", **SCORES)]))
    assert few == "A critical-difference diagram needs at least 3 tasks with a ranking; there are 2."
    gaps = ranks(
        tasks(tmp_path, [*scored("a", **SCORES), *scored("b", lstm=1.0), *scored("c", lstm=1.0, gru=0.5)])
    )
    assert isinstance(gaps, str)
    assert "there is 1" in gaps
    assert isinstance(ranks(()), str)


def test_models_that_a_task_lacks_are_named(tmp_path: Path) -> None:
    records = [one for task in "abc" for one in scored(task, **SCORES)]
    records.append(record(0.99, task="a", architecture="attention"))
    found = ranks(tasks(tmp_path, records))
    assert isinstance(found, Ranks)
    assert found.left_out == ("lstm attention",)


def test_equal_models_share_a_rank_and_no_difference_is_claimed(tmp_path: Path) -> None:
    found = ranks(
        tasks(tmp_path, [one for task in "abc" for one in scored(task, lstm=0.5, gru=0.5, rnn=0.5)])
    )
    assert isinstance(found, Ranks)
    assert found.ranks == (2.0, 2.0, 2.0)
    assert "finds no difference" in verdict(found)


def test_tasks_of_a_second_machine_do_not_count_twice(tmp_path: Path) -> None:
    made = tasks(tmp_path, [one for task in "abc" for one in scored(task, **SCORES)])
    other = [
        TaskResults(b.key, b.title, Machine((("hardware.cpu", "x"),)), b.entries, b.ranking) for b in made[:2]
    ]
    found = ranks([*made, *other])
    assert isinstance(found, Ranks)
    assert len(found.tasks) == 3


def test_tasks_that_are_given_other_models_do_not_spoil_the_ranks(tmp_path: Path) -> None:
    records = [one for task in "abc" for one in scored(task, **SCORES)] + scored("d", lstm=0.5)
    found = ranks(tasks(tmp_path, records))
    assert isinstance(found, Ranks)
    assert len(found.tasks) == 3
    assert found.models == ("lstm plain", "gru plain", "rnn plain")
