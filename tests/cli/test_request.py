"""What options ask for is checked before anything starts."""

from __future__ import annotations

import sys

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
