"""`benchsuite calibrate`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchsuite.cli.app import app
from benchsuite.measure.calibration import kept_choices
from benchsuite.measure.calibration.kept import CALIBRATION_VARIABLE

SMALL = ["smoke", "--backend", "numpy", "--set", "unroll=best", "--set", "cell=mingru"]  # two ways


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["calibrate", *arguments])
    return result.exit_code, result.output


def test_what_is_kept_is_measured_again_once_for_each_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CALIBRATION_VARIABLE, str(tmp_path))
    code, text = invoke(*SMALL, "--set", "seed=0,1", "--json")
    (found,) = json.loads(text)
    assert code == 0
    assert found["way"] in found["seconds"]
    assert found["measured_seconds"] > 0
    (kept,) = kept_choices()
    begin = time.time()
    code, text = invoke(*SMALL)
    assert code == 0
    assert "best" in text
    assert "times" in text
    (again,) = kept_choices()
    assert again.made > begin > kept.made


def test_a_matrix_without_trials_that_can_run_ends_with_1() -> None:
    code, text = invoke("smoke", "--backend", "numpy", "--set", "unroll=fused")
    assert code == 1
    assert "fused" in text


@pytest.mark.parametrize(
    "arguments", [("nothing",), ("smoke", "--backend", "nobody"), ("smoke", "--set", "x")]
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...]) -> None:
    code, text = invoke(*arguments)
    assert code == 2
    assert "error: " in text
