"""What a check says of itself while it runs."""

from __future__ import annotations

import time

import pytest

from benchsuite.cli.check_progress import CheckState, PlainProgress
from benchsuite.measure.worker.channel import CaseResult, CaseStarted


def test_the_line_counts_and_says_the_time_left() -> None:
    now = [100.0]
    state = CheckState(clock=lambda: now[0])
    assert state.line() == "loading"
    state.total, state.kept = 14, 2
    state.update(CaseStarted(check="a", unroll="static"))
    assert state.line() == "2 of 14 checked; now a static (0 s)"
    for status in ("ok", "failed"):
        now[0] += 5
        state.update(CaseResult.model_validate({"check": "a", "unroll": "static", "status": status}))
        state.update(CaseStarted(check="b"))
    now[0] += 2
    assert state.line() == "4 of 14 checked, 1 failed, 1 min left; now b (2 s)"


def test_without_a_terminal_a_line_comes_every_some_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainProgress(seconds=0.02) as state:
        state.total = 3
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert set(lines) <= {"loading", "0 of 3 checked"}
