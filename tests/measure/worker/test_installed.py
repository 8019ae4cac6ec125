"""An interpreter without the distributions of the extra `tasks`: what needs them is skipped and says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HIDE = """
import sys
from importlib.metadata import Distribution, PackageNotFoundError

HIDDEN = {"scikit-learn": "sklearn", "statsmodels": "statsmodels"}
known = Distribution.from_name.__func__


def from_name(cls, name):
    if name in HIDDEN:
        raise PackageNotFoundError(name)
    return known(cls, name)


Distribution.from_name = classmethod(from_name)
for module in HIDDEN.values():
    sys.modules[module] = None  # importing it raises ModuleNotFoundError
"""

MATRIX = """
[defaults]
size.hidden = 2
recipe.steps = 2
recipe.batch_size = 4
protocol.rounds = 1
protocol.round_seconds = 1e-4
protocol.warmup_seconds = 1e-4
options.length = 4
options.examples = 8

[axes]
task = "adding"
cell = "rnn"
architecture = "plain"
backend = "numpy"
"""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The variables of an interpreter, and of its workers, that hides two distributions."""
    folder = tmp_path / "hiding"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDE)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def benchsuite(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchsuite", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)


def test_smoke_says_which_extra_it_needs(bare: dict[str, str], tmp_path: Path) -> None:
    said = benchsuite(
        bare, "run", "smoke", "--backend", "numpy", "--tracking-uri", "none", "--results", str(tmp_path)
    )
    assert "source 'digits' needs scikit-learn, not installed here" in said.stdout
    assert "pip install 'benchsuite[tasks]'" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


def test_a_task_that_needs_neither_runs(bare: dict[str, str], tmp_path: Path) -> None:
    matrix = tmp_path / "bare.toml"
    matrix.write_text(MATRIX)
    said = benchsuite(bare, "run", str(matrix), "--tracking-uri", "none", "--results", str(tmp_path))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "[1/1] ok" in said.stdout


@pytest.mark.parametrize(
    ("task", "source", "missing"),
    [("time_series", "co2", "statsmodels"), ("sentiment", "generated", "scikit-learn")],
)
def test_a_check_says_it_too(bare: dict[str, str], task: str, source: str, missing: str) -> None:
    said = benchsuite(bare, "check", "task", task, "--source", source)
    assert said.returncode == 1
    assert f"{missing}, not installed here; run: pip install 'benchsuite[tasks]'" in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr
