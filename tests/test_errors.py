"""Errors: one hierarchy, exit codes, and messages that say what was given and what to do."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import errors
from benchsuite.errors import (
    BenchsuiteError,
    MatrixError,
    MissingFrameworkError,
    RequestError,
    UnknownNameError,
    nearest,
    unknown_name,
)

CLASSES: dict[str, type[BenchsuiteError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, BenchsuiteError)
}
NAMES = st.lists(st.text(alphabet="abcdefgh_", min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


def test_the_hierarchy_drawn_in_the_docstring_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        words = [
            word for word in line.replace("│", " ").replace("├──", " ").replace("└──", " ").split() if word
        ]
        if words and words[0].endswith("Error") and words[0] in CLASSES:
            depth = (line.index(words[0]) - 4) // 4
            parents = [*parents[:depth], words[0]]
            drawn[words[0]] = parents[depth - 1] if depth else "Exception"
    assert drawn == {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_wrong_request_exits_with_2_and_a_failure_with_1(name: str) -> None:
    assert issubclass(CLASSES[name], BenchsuiteError)
    assert CLASSES[name].exit_code == (2 if issubclass(CLASSES[name], RequestError) else 1)


def test_an_unknown_name_names_the_nearest_and_all_known_ones() -> None:
    error = UnknownNameError("backend", "tensorflw", ["torch", "tensorflow", "jax"], hint="See the list.")
    assert str(error) == (
        "unknown backend 'tensorflw'; did you mean 'tensorflow'? Known: jax, tensorflow, torch. See the list."
    )
    assert error.allowed == ["jax", "tensorflow", "torch"]


def test_an_unknown_name_among_none_says_so() -> None:
    assert unknown_name("task", "x", []) == "unknown task 'x'. No task is registered."


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    assert unknown_name("cell", "zzzz", ["lstm", "gru"]) == "unknown cell 'zzzz'. Known: gru, lstm."


@given(NAMES, st.data())
def test_nearest_finds_a_name_whatever_its_case(names: list[str], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(names))
    found = nearest(wanted.upper(), names)
    assert found[0] == wanted
    assert set(found) <= set(names)
    assert len(found) <= 3


def test_a_matrix_error_lists_every_problem_with_its_place() -> None:
    error = MatrixError("my.toml", [("axes.cell", "unknown cell"), ("defaults.seed", "must be an integer")])
    assert str(error).splitlines() == [
        "my.toml: 2 problems",
        "  axes.cell: unknown cell",
        "  defaults.seed: must be an integer",
    ]
    assert str(MatrixError("my.toml", [("a", "b")])).startswith("my.toml: 1 problem\n")


def test_a_missing_framework_says_what_to_install() -> None:
    assert "pip install 'benchsuite[jax]'" in str(MissingFrameworkError("backend 'jax'", ["jax"], "jax"))
    assert "pip install a b" in str(MissingFrameworkError("task 'x'", ["a", "b"], None))
