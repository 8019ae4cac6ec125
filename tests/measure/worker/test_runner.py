"""Session: what happens around a trial, in the worker's own process."""

from __future__ import annotations

import pytest
from fixtures.tiny_trial import TRIAL

from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Status


def test_a_backend_that_cannot_release_costs_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("the cache is locked")

    session = Session("numpy")
    backend, _ = session.load_backend()
    assert "backend.release.problem" not in session.run(TRIAL, lambda _: None).environment
    monkeypatch.setattr(backend, "release", broken)
    record = session.run(TRIAL, lambda _: None)
    assert record.status is Status.OK
    assert record.environment["backend.release.problem"] == "RuntimeError: the cache is locked"
