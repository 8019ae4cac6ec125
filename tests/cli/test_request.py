"""What options ask for is checked before anything starts."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import psutil
import pytest

from benchsuite.cli import request
from benchsuite.errors import RequestError, UnknownNameError


def test_filters_are_comma_lists_and_what_is_not_given_is_no_filter() -> None:
    assert request.filters(task="a, b", cell=None, seed="0") == {"task": ["a", "b"], "seed": ["0"]}


def test_a_filter_that_names_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="--cell names nothing to keep"):
        request.filters(cell=" , ")


@pytest.mark.parametrize(
    ("value", "allowed"), [("failed", True), ("all", True), (None, True), ("faild", False), ("", False)]
)
def test_rerun(value: str | None, allowed: bool) -> None:
    if allowed:
        request.check_rerun(value)
    else:
        with pytest.raises(UnknownNameError, match="value of --rerun"):
            request.check_rerun(value)


def test_an_interpreter_is_found_and_belongs_to_a_backend() -> None:
    assert request.run_options(pythons=[f"numpy={sys.executable}"]).pythons == (("numpy", sys.executable),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("numpy", "write BACKEND=INTERPRETER"),
        ("numpy=", "write BACKEND=INTERPRETER"),
        ("numyp=python", "did you mean 'numpy'"),
        ("numpy=/no/python", "/no/python is no program that can be run"),
    ],
)
def test_what_is_no_interpreter_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        request.run_options(pythons=[text])


def test_an_unknown_isolation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="value of --isolation 'process'"):
        request.run_options("process")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("torch=/a/python", ["torch=/a/python"]),
        ("torch=/a/python jax=/b/python", ["torch=/a/python", "jax=/b/python"]),
        ("torch=/my env/bin/python  jax=/b c/python", ["torch=/my env/bin/python", "jax=/b c/python"]),
        ("torch=/a\njax=/b\n", ["torch=/a", "jax=/b"]),
    ],
)
def test_interpreters_of_the_environment_may_hold_blanks(text: str, expected: list[str]) -> None:
    assert request.split_pythons(text) == expected


def test_an_interpreter_with_a_blank_in_its_path_is_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "my env" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setenv("BENCHSUITE_PYTHON", f"numpy={python}")
    assert request.run_options().pythons == (("numpy", str(python)),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8GiB", 8 * 2.0**30), ("500MB", 5e8), ("1.5g", 1.5e9), ("1024 B", 1024.0), ("none", math.inf)],
)
def test_sizes_of_memory(text: str, expected: float) -> None:
    assert request.memory_bytes(text) == expected


def test_a_share_of_memory_is_of_what_is_free() -> None:
    assert 0 < request.memory_bytes("50%") < psutil.virtual_memory().total


@pytest.mark.parametrize("text", ["", "8", "0GB", "-1GB", "8XB", "nan", "GB", "1e400GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="give a size such as 8GiB"):
        request.memory_bytes(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("none", None), ("2.5", 2.5), ("nan", 0), ("0", 0), ("inf", 0), ("x", 0)]
)
def test_times(text: str, expected: float | None) -> None:
    if expected == 0:
        with pytest.raises(RequestError, match="give a number of seconds above 0, or none"):
            request.run_options(timeout=text)
    else:
        assert request.run_options(timeout=text).timeout == expected


def test_retries_are_by_cause() -> None:
    assert request.run_options(retry=["lost=2", "crash=1"]).retries == (("lost", 2), ("crash", 1))
    for text in ("lost", "lost=", "lost=-1", "last=2", "=2", "lost=99999"):
        with pytest.raises(RequestError, match="write CAUSE=N"):
            request.run_options(retry=[text])


@pytest.mark.parametrize(("text", "expected"), [("auto", None), ("1", 1), ("64", 64)])
def test_jobs(text: str, expected: int | None) -> None:
    assert request.job_count(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "1.5", "\u0663", "9999999", "all"])
def test_what_is_no_number_of_jobs_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="give a number of trials above 0, or auto"):
        request.job_count(text)
