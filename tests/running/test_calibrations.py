"""Trials are calibrated by workers; what keeps one from it is its answer."""

from __future__ import annotations

from fixtures.tiny_trial import TRIAL

from benchsuite.running.calibrations import calibrate


def test_each_trial_gets_the_way_in_which_it_runs_or_the_reason_why_it_has_none() -> None:
    best = TRIAL.model_copy(update={"execution": {"unroll": "best"}})
    fused = TRIAL.model_copy(update={"execution": {"unroll": "fused"}})
    unknown = TRIAL.model_copy(update={"backend": "nobody"})
    (_, found), (_, declined), (_, lost) = calibrate([best, fused, unknown])
    assert found.problem == ""
    assert found.way in found.seconds
    assert list(found.seconds) == ["dynamic", "static"]
    assert "fused" in declined.problem
    assert "nobody" in lost.problem


def test_a_second_calibration_takes_what_is_kept() -> None:
    best = TRIAL.model_copy(update={"execution": {"unroll": "best"}})
    ((_, first),) = calibrate([best])
    ((_, again),) = calibrate([best])
    assert (again.way, again.seconds, again.measured) == (first.way, first.seconds, 0.0)
