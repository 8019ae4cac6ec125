"""Which Python an environment is made with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchsuite.errors import RequestError
from benchsuite.running.environments.pythons import base_python

HERE = "{}.{}".format(*sys.version_info[:2])


def program(folder: Path, name: str, prints: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{prints}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("asked", [None, HERE])
def test_this_python_by_default(asked: str | None) -> None:
    assert base_python(asked).path == sys.executable


def test_a_program_is_asked_for_its_version(tmp_path: Path) -> None:
    path = program(tmp_path, "python", "echo 3 12")
    found = base_python(path)
    assert (found.path, found.version) == (path, (3, 12))


def test_a_version_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "python3.99", "echo 3 99")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert base_python("3.99").path == path


@pytest.mark.parametrize(
    ("prints", "said"),
    [
        ("echo 3 9", "is Python 3.9, and benchsuite needs 3.11 or newer"),
        ("exit 1", "does not run as a Python"),
        ("echo hello", "does not run as a Python"),
    ],
)
def test_what_is_no_python_for_it_is_refused(tmp_path: Path, prints: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        base_python(program(tmp_path, "python", prints))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("3.99", "python3.99 was not found; install it, or give the path"),
        ("/no/python", "it is no program that can be run"),
    ],
)
def test_what_is_not_there_is_refused(asked: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        base_python(asked)
