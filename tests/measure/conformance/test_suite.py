"""The list of the kit's items: its order, and what the core leaves out."""

from __future__ import annotations

import itertools

import pytest

from benchsuite.measure.conformance.backend import check_training
from benchsuite.measure.conformance.suite import suite


@pytest.mark.parametrize("core", [True, False])
def test_each_item_is_there_once(core: bool) -> None:
    names = [item.name for item in suite(core)]
    assert len(names) == len(set(names))


def test_items_of_one_program_follow_each_other() -> None:
    for core in (True, False):
        programs = [program for program, _ in itertools.groupby(item.program for item in suite(core))]
        assert len(programs) == len(set(programs))


def test_the_core_has_every_check_and_is_part_of_the_whole() -> None:
    core, whole = ({item.name: item for item in suite(which)} for which in (True, False))
    assert {item.check for item in core.values()} == {item.check for item in whole.values()}
    assert core.keys() <= whole.keys()
    assert len(core) < len(whole) / 3


def test_training_meets_a_longer_batch_in_some_cases_of_the_core_and_in_all_others() -> None:
    core, whole = ([item for item in suite(which) if item.check is check_training] for which in (True, False))
    assert all(item.case.longer for item in whole)
    assert 0 < sum(item.case.longer for item in core) < len(core)
