"""Session: what happens around a trial, in the worker's own process."""

from __future__ import annotations

import pytest

from benchsuite.plugins import registry
from benchsuite.spec import Protocol, Recipe, Size, Status, Trial
from benchsuite.worker.runner import Session

TRIAL = Trial(
    task="mnist_rows",
    source="digits",
    options={name: option.default for name, option in registry().task("mnist_rows").options.items()},
    cell="rnn",
    architecture="plain",
    size=Size(hidden=4),
    backend="numpy",
    recipe=Recipe(epochs=1, steps=1),
    protocol=Protocol(rounds=1, round_seconds=1e-4, warmup_seconds=1e-4),
)


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
