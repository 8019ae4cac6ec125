"""What the doctor says of environments, and the command that mends each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchsuite.cli.doctor_backends import environments
from benchsuite.running.environments import Environment
from benchsuite.running.environments.registration import register


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCHSUITE_ENVS", str(tmp_path))
    return tmp_path


def made(name: str, backend: str, python: str = f'exec {sys.executable} "$@"', created: float = 1.0) -> None:
    """An environment whose Python is a script."""
    one = Environment(
        name, (backend,), "3.12.1", "benchsuite", ("benchsuite[tasks]", "-e", "/a/plugin"), created
    )
    program = Path(one.interpreter)
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
    program.chmod(0o755)
    register(one)


def test_without_environments_nothing_is_said() -> None:
    assert list(environments()) == []


def test_one_that_works_is_named_with_what_it_is_used_for() -> None:
    made("older", "numpy", created=1.0)
    made("newer", "numpy", created=2.0)
    older, newer = environments()
    assert (older[0], older[1], newer[1]) == ("environment older", "ok", "ok")
    assert "used for nothing" in older[2]
    assert "Python 3.12.1, used for numpy" in newer[2]


@pytest.mark.parametrize("python", ["exit 3", "echo 'ModuleNotFoundError: No module named x' >&2; exit 1"])
def test_one_that_does_not_run_is_a_problem_with_the_command_that_makes_it_again(python: str) -> None:
    made("broken", "numpy", python)
    [(what, state, said)] = environments()
    assert (what, state) == ("environment broken", "problem")
    assert said.endswith("run: benchsuite env create numpy --name broken --replace")


def test_one_with_another_version_is_told(home: Path) -> None:
    answer = '{"python": "3.12.1", "benchsuite": "0.0.1", "backends": {}, "plugins": {}}'
    made("old", "numpy", f"echo '{answer}'")
    [(_, state, said)] = environments()
    assert state == "warning"
    assert "it has benchsuite 0.0.1, this Python" in said
    assert home.is_dir()


def test_a_backend_that_this_python_does_not_know_is_told_with_what_to_install() -> None:
    made("mine", "stranger")
    [(_, state, said)] = environments()
    assert state == "warning"
    assert "backend stranger is not known to this Python yet" in said
    assert said.endswith("pip install --no-deps /a/plugin")


def test_one_that_cannot_be_read_is_a_problem_with_the_command_that_removes_it(home: Path) -> None:
    (home / "torn").mkdir()
    (home / "torn" / "benchsuite-environment.json").write_text("{", encoding="utf-8")
    [(what, state, said)] = environments()
    assert (what, state) == ("environment torn", "problem")
    assert said.endswith("run: benchsuite env remove torn")
