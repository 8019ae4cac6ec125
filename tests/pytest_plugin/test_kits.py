"""The kits as classes to inherit, run by pytest as an author of plugins runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

MODULE = """
from benchsuite.pytest_plugin.kits import BackendKit, CellKit, TaskKit
from benchsuite.schema import BUILTIN_CELLS


class TestNumpy(BackendKit):
    name = "numpy"
    unrolls = ("dynamic", "fused")


class TestSentiment(TaskKit):
    name = "sentiment"


class TestGru(CellKit):
    entry = BUILTIN_CELLS["gru"]
    backends = ("numpy",)
"""
BROKEN = """
from benchsuite.pytest_plugin import kits
from benchsuite.measure.conformance import kit_cases
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram


class Wrong(ReferenceProgram):
    def gradients(self, placed):
        found = super().gradients(placed)
        found.parameters["out.b"][0] += 1
        return found


class WrongBackend(ReferenceBackend):
    def build(self, model, parameters, recipe, execution):
        return Wrong(model, parameters, recipe, execution.dtype)


class TestWrong(kits.BackendKit):
    name = "numpy"
    precisions = ("float64",)
    unrolls = ("dynamic",)


kit_cases.backend_here = lambda name, double: WrongBackend()
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "data"))

    def run(source: str, *options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_mine.py").write_text(source, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-ra",
            "-p",
            "no:cacheprovider",
            "test_mine.py",
            *options,
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    return run


def test_every_case_is_a_test_that_can_be_chosen(run: Run) -> None:
    chosen = "lstm-plain] and log or declarations or something or source or TestNumpy and device"
    done = run(MODULE, "-v", "-k", chosen, "-n", "2")
    assert done.returncode == 0, done.stdout
    for name in (
        "TestNumpy::test_case[log[lstm-plain]-dynamic-float64]",
        "TestNumpy::test_case[log[lstm-plain]-dynamic-float32]",
        "TestNumpy::test_something_is_supported[float32]",
        "TestNumpy::test_device",
        "TestSentiment::test_source[generated]",
        "TestGru::test_declarations",
        "TestGru::test_something_is_supported[numpy-float64]",
    ):
        assert any("PASSED" in line and name in line for line in done.stdout.splitlines()), name
    assert "data file sst2_binary_sent_train.csv is not in" in done.stdout
    assert "9 passed, 5 skipped" in done.stdout


def test_a_failure_has_where_it_begins_and_the_smallest_input(run: Run) -> None:
    done = run(BROKEN, "-k", "gradients[gru-plain]")
    assert done.returncode == 1
    assert "gradient/out.b breaks parity" in done.stdout
    assert "begins at: the gradient by out.b, at [0] " in done.stdout
    assert "smallest: 1 row, 1 step, 1 unit: " in done.stdout


@pytest.mark.parametrize(
    ("kit", "said"),
    [
        ("BackendKit", "unknown backend 'numppy'; did you mean 'numpy'"),
        ("TaskKit", "unknown task 'numppy'"),
    ],
)
def test_a_name_that_is_not_there(run: Run, kit: str, said: str) -> None:
    done = run(
        f"from benchsuite.pytest_plugin.kits import {kit}\nclass TestIt({kit}):\n    name = 'numppy'\n"
    )
    assert done.returncode == 2
    assert said in done.stdout


def test_the_page_shows_classes_that_pytest_collects(run: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text(encoding="utf-8")
    (shown,) = (
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "BackendKit" in block
    )
    done = run(shown, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout
    assert "TestMyBackend::test_case[gradients[lstm-plain]-dynamic-float64]" in done.stdout
    assert "TestMyTask::test_source[generated]" in done.stdout
