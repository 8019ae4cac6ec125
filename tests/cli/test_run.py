"""How `benchsuite run` ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from fixtures import planted

from benchsuite.cli.run import _conclude
from benchsuite.running.matrix import make_plan
from benchsuite.running.study import StoredStudy
from benchsuite.schema import INVALID_TIMING, Record, Status


def concluded(records: list[Record], folder: Path) -> int:
    """The exit code of a run that made these records."""
    from benchsuite.contracts import TrialSupport

    trials = [record.trial for record in records]
    plan = make_plan(trials, [TrialSupport(None, "f")] * len(trials))
    try:
        _conclude(StoredStudy("mine", folder, records), plan.items, "")
    except typer.Exit as ended:
        return ended.exit_code
    return 0


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_ends_with_1_and_is_told(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert concluded([planted.planted(timing=word), planted.planted(cell="gru")], tmp_path) == 1
    assert f"the timing is refused: {INVALID_TIMING[word]}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([planted.planted()], 0),
        ([planted.planted(timing="unstable")], 0),
        ([planted.planted(status=Status.SKIPPED, reason="no GPU")], 0),
        ([planted.planted(status=Status.DIVERGED, reason="the loss was infinite")], 0),
        ([planted.planted(), planted.planted(cell="gru", status=Status.FAILED)], 1),
        ([planted.planted(status=Status.TIMEOUT)], 1),
        ([planted.planted(status=Status.KILLED)], 1),
    ],
)
def test_what_ends_with_1(records: list[Record], code: int, tmp_path: Path) -> None:
    assert concluded(records, tmp_path) == code
