"""Files: short, of one concept, and free of what belongs to one machine."""

from __future__ import annotations

import ast
import re
from statistics import median

import pytest
from fixtures.sources import CORE, PLUGIN_FOLDERS, ROOT, python_files, tracked_files

MOST_LINES = 400
FOLDERS = [CORE, *(ROOT / folder for folder in PLUGIN_FOLDERS)]
PRIVATE = {
    "a package registry's address": re.compile(
        r"https?://[\w.-]*(py"
        + r"pi|python"
        + r"hosted|conda|pytorch"
        + r"\.org/whl)|py"
        + r"pi\.org|python"
        + r"hosted",
        re.I,
    ),
    "a path of one machine": re.compile(r"(?<![\w.~-])/(home|root|Users|work|mnt)/\w"),
    "a secret": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_\w{30}|AKIA[A-Z0-9]{16}"),
}


def texts() -> list[tuple[str, str]]:
    """(path, text) of every tracked text file."""
    found = []
    for path in tracked_files():
        try:
            found.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:  # a picture
            continue
    return found


def test_no_python_file_is_long() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in python_files(*FOLDERS)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert not long


@pytest.mark.parametrize("what", sorted(PRIVATE))
def test_no_tracked_file_holds(what: str) -> None:
    files = texts()
    assert len(files) > 100
    found = [
        f"{name}:{number}"
        for name, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if PRIVATE[what].search(line)
    ]
    assert not found


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package registry's address", "--index-url https://" + "py" + "pi.org/simple"),
        ("a path of one machine", "sys.path.insert(0, '/ho" + "me/someone/x')"),
        ("a secret", "-----BEGIN RSA PRIVATE" + " KEY-----"),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, line: str) -> None:
    assert PRIVATE[what].search(line)


def test_nothing_is_called_utils() -> None:
    names = {"utils", "util", "helpers", "misc", "common"}
    found = [path for path in python_files(*FOLDERS) if path.stem in names or path.parent.name in names]
    assert not found


def test_no_work_is_left_undone() -> None:
    """A note to do it later, or a body that says it does nothing, is not a feature."""
    left = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|\bNotImplemented" + r"Error\b")
    found = [
        f"{name}:{number}"
        for name, text in texts()
        if name.endswith(".py")
        for number, line in enumerate(text.splitlines(), 1)
        if left.search(line)
    ]
    assert not found


def test_every_python_file_says_what_it_is_for() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in python_files(*FOLDERS, ROOT / "examples")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_most_files_are_short() -> None:
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*FOLDERS)]
    assert median(lines) < 110


def test_tests_mirror_the_source() -> None:
    """tests/a/test_b.py tests benchsuite/a/b.py or the package benchsuite/a/b; test_b_<aspect>.py is a part
    of it."""
    orphans = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        relative = path.relative_to(ROOT / "tests")
        home = CORE / relative.parent
        if relative.parts[0] in ELSEWHERE or not home.is_dir() or relative.as_posix() in WHOLE:
            continue
        names = [home.name, *(one.stem for one in home.iterdir() if one.is_dir() or one.suffix == ".py")]
        tested = path.stem.removeprefix("test_")
        if not any(tested == name or tested.startswith(f"{name}_") for name in names):
            orphans.append(relative.as_posix())
    assert not orphans


ELSEWHERE = ("backends", "cells", "tasks", "conventions", "docs", "fixtures")
"""Folders of tests of plugins, of rules on the repository, and of what tests share."""
WHOLE = {
    "analysis/test_one_answer.py", "cli/test_commands.py", "cli/test_process.py", "cli/test_whole.py",
    "report/test_browser.py", "report/test_speed.py",
    "measure/conformance/test_kit_jax.py", "measure/conformance/test_kit_keras.py",
    "measure/conformance/test_kit_numpy.py",
    "measure/conformance/test_kit_tensorflow.py", "measure/conformance/test_kit_torch.py",
    "measure/conformance/test_task_kit.py", "measure/conformance/test_trials.py",
}  # fmt: skip
"""Tests of a whole package: by its commands, its pages, its cost, or on a backend."""


def test_folders_of_tests_mirror_packages() -> None:
    folders = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*") if path.is_dir()}
    strangers = [
        folder.as_posix()
        for folder in folders
        if folder.parts[0] not in ELSEWHERE
        and "__pycache__" not in folder.parts
        and not (CORE / folder).is_dir()
    ]
    assert not strangers
