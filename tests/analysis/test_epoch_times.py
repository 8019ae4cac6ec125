"""When epochs ended: as measured, and as estimated for records that hold no such times."""

from __future__ import annotations

import pytest
from fixtures.records import record

from benchsuite.analysis.epoch_times import EPOCH_SECONDS, epoch_times
from benchsuite.schema import Series

KNOWN = {
    "speed/import_seconds": 9.0, "speed/build_seconds": 0.5, "speed/first_step_seconds": 2.0,
    "train/seconds": 6.0, "train/steps": 40.0, "train/epochs": 4.0,
}  # fmt: skip


def test_measured_times_count_from_the_start_without_the_import() -> None:
    curve = Series(name=EPOCH_SECONDS, axis="epoch", x=[1, 2, 3, 4], y=[3.0, 4.0, 5.0, 6.0])
    found = epoch_times(record(0.9, scalars=KNOWN), [curve])
    assert found is not None
    assert found.measured
    assert found.seconds == (3.5, 4.5, 5.5, 6.5)
    assert found.steps == (10.0, 20.0, 30.0, 40.0)


def test_without_them_the_first_step_is_apart_and_all_others_are_equally_long() -> None:
    made = record(0.9, scalars=KNOWN)
    short = Series(name=EPOCH_SECONDS, axis="epoch", x=[1], y=[3.0])
    for curves in ([], [short]):
        found = epoch_times(made, curves)
        assert found is not None
        assert not found.measured
        assert found.seconds[-1] == pytest.approx(6.5)
        steps = [after - before for before, after in zip(found.seconds, found.seconds[1:], strict=False)]
        assert steps == pytest.approx([steps[0]] * 3)
        assert found.seconds[0] > 0.5 + steps[0]


def test_a_record_that_does_not_say_how_long_it_trained_has_none() -> None:
    assert epoch_times(record(0.9), []) is None
