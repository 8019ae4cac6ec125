"""Workers that are lost, or hang, while they answer what can run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fixtures.scripted import scripted_executor, scripted_trial, wait_until, workers

from benchsuite.running.executors import questions


def test_a_lost_answer_costs_only_the_trials_that_lose_it() -> None:
    trials = [scripted_trial(seed=seed) for seed in range(6)]
    trials[2:2] = [scripted_trial("unanswerable")]
    with scripted_executor() as executor:
        found = executor.check_support(trials)
    assert [one.broken for one in found] == [False, False, True, False, False, False, False]
    assert [one.fingerprint for one in found].count("scripted-1") == 6
    assert "SIGSEGV" in str(found[2].reason)


def test_a_worker_that_is_lost_once_costs_nothing(tmp_path: Path) -> None:
    trials = [scripted_trial(), scripted_trial("unanswerable_once", log=str(tmp_path / "lost"))]
    with scripted_executor() as executor:
        found = executor.check_support(trials)
    assert [one.reason for one in found] == [None, None]


def test_only_so_many_workers_are_lost_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST_LOST", 2)
    trials = [scripted_trial("unanswerable", seed=seed) for seed in range(50)]
    begin = time.monotonic()
    with scripted_executor() as executor:
        found = executor.check_support(trials)
    assert all(one.broken for one in found)
    assert time.monotonic() - begin < 20


def test_a_hang_while_a_framework_is_loaded_ends_with_the_time_of_a_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "LEAST_QUESTION_SECONDS", 3.0)
    trials = [scripted_trial(backend="scripted_hangs_loading"), scripted_trial()]
    begin = time.monotonic()
    with scripted_executor(timeout=3.0) as executor:
        hung, well = executor.check_support(trials)
    assert time.monotonic() - begin < 15
    assert "took longer than 3 s" in str(hung.reason)
    assert (hung.broken, well.reason) == (True, None)
    assert wait_until(lambda: not workers())
