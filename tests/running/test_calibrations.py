"""Trials are calibrated by workers; what keeps one from it is its answer."""

from __future__ import annotations

from fixtures.tiny_trial import TRIAL

from benchsuite.running.calibrations import calibrate

TWO_WAYS = TRIAL.model_copy(update={"cell": "mingru", "execution": {"unroll": "best"}})


def test_each_trial_gets_the_way_in_which_it_runs_or_the_reason_why_it_has_none() -> None:
    fused = TRIAL.model_copy(update={"execution": {"unroll": "fused"}})
    unknown = TRIAL.model_copy(update={"backend": "nobody"})
    (_, found), (_, declined), (_, lost) = calibrate([TWO_WAYS, fused, unknown])
    assert found.problem == ""
    assert found.way in found.seconds
    assert list(found.seconds) == ["dynamic", "scan"]
    assert "fused" in declined.problem
    assert "nobody" in lost.problem


def test_a_second_calibration_takes_what_is_kept() -> None:
    ((_, first),) = calibrate([TWO_WAYS])
    ((_, again),) = calibrate([TWO_WAYS])
    assert (again.way, again.seconds, again.measured) == (first.way, first.seconds, 0.0)
