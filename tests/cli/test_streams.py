"""A run whose output nobody reads any more, or that is asked to end, keeps what it has done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.scripted import wait_until

from benchsuite.running.store import StudyStore

FEW = "--set recipe.steps=1 --set seed=0,1,2 --backend numpy --tracking-uri none --name few"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def command(results: Path) -> str:
    return f"{sys.executable} -m benchsuite run smoke {FEW} --results {results}"


@pytest.mark.parametrize(
    ("redirected", "code"),
    [
        (" | head -1", 0),
        (" >&-", 0),
        (" <&- >&- 2>&-", 0),
        pytest.param(
            " >/dev/full", 0, marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
        ),
    ],
)
def test_a_reader_that_goes_away_ends_no_study(tmp_path: Path, redirected: str, code: int) -> None:
    # `unstable` timings are no failure, but refused ones are: what counts here is that all trials ran
    done = subprocess.run(
        ["bash", "-c", command(tmp_path) + redirected], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert len(StudyStore.open(tmp_path / "few").latest()) == 3, done.stderr
    assert done.returncode in (code, 1)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_asks_to_end_is_heard_as_an_interrupt(tmp_path: Path, number: signal.Signals) -> None:
    arguments = [
        *command(tmp_path).split(),
        "--set",
        "recipe.epochs=100000",
        "--set",
        "recipe.steps=10000000",
    ]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert wait_until(lambda: (tmp_path / "few" / "study.json").exists(), 60)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "interrupted; 3 trials are left, run the same command to go on" in error
    assert json.loads((tmp_path / "few" / "study.json").read_text())["name"] == "few"
    with StudyStore(tmp_path / "few").writing():
        pass
