"""The order of journals: of one run, of a merged study, and of a trial that ran again."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.planted import planted

from benchsuite.analysis.verification.journal_order import journal_faults
from benchsuite.schema import Record

NOW = 2e9


def made(finished: float, attempt: str, **fields: Any) -> Record:
    update = {"started": finished - 3, "finished": finished, "attempt": attempt}
    return planted(0.9, **fields).model_copy(update=update)


def count(records: list[Record], *, merged: bool = False, created: float = 1e9) -> int:
    return len(list(journal_faults(records, {"created": created}, merged=merged, now=NOW)))


def test_a_trial_that_ran_again_is_behind_its_first_attempt() -> None:
    first, second = made(1.1e9, "00000001"), made(1.2e9, "00000002")
    assert count([first, second]) == 0
    assert count([second, first]) > 0
    assert count([second, first], merged=True) == 1


def test_a_merged_journal_has_an_order_of_its_own_and_older_records() -> None:
    older, newer = made(0.5e9, "00000001"), made(0.6e9, "00000002", seed=1)
    assert count([newer, older], merged=True) == 0
    assert count([newer, older]) > 0


@pytest.mark.parametrize("attempt", ["nonsense", "0000000", "00000000X"])
def test_an_attempt_is_named_by_eight_digits(attempt: str) -> None:
    assert count([made(1.1e9, attempt)]) == 1


def test_workers_that_end_together_are_written_in_any_order() -> None:
    assert count([made(1.1e9, "00000001"), made(1.1e9 - 2, "00000002", seed=1)]) == 0


def test_one_attempt_belongs_to_one_trial() -> None:
    assert count([made(1.1e9, "00000001"), made(1.1e9, "00000001", seed=1)]) == 1


def test_records_of_versions_without_attempts_are_no_fault() -> None:
    assert count([made(1.1e9, ""), made(1.1e9, "", seed=1)]) == 0
