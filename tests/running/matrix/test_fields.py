"""What a field of a matrix accepts, and the sentence that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fixtures.cells import registered

from benchsuite.running.matrix.fields import can_be_unset, check_value, names_of
from benchsuite.schema import BUILTIN_CELLS, known_cells
from benchsuite.schema.fields import BadValueError


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("task", ["a", "b"]),
        ("backend", ["x"]),
        ("recipe.clip", ["none", "norm", "value"]),
        ("recipe.epochs", None),
        ("execution.device", None),
    ],
)
def test_names(path: str, words: list[str] | None) -> None:
    assert names_of(path, ["b", "a"], ["x"]) == words


def test_names_of_cells_are_those_that_are_known_now() -> None:
    assert names_of("cell", (), ()) == list(known_cells())
    with registered(replace(BUILTIN_CELLS["rnn"], name="mine")):
        assert "mine" in (names_of("cell", (), ()) or ())
    assert "mine" not in (names_of("cell", (), ()) or ())


@pytest.mark.parametrize(
    ("path", "value", "checked"),
    [
        ("recipe.learning_rate", 1, 1.0),
        ("recipe.truncation", "none", None),
        ("recipe.clip", "none", "none"),
        ("execution.device", "gpu:1", "gpu:1"),
        ("seed", 3, 3),
    ],
)
def test_values_are_taken_as_a_trial_holds_them(path: str, value: Any, checked: Any) -> None:
    found = check_value(path, value)
    assert found == checked
    assert type(found) is type(checked)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("recipe.epochs", 0, "greater than 0"),
        ("recipe.epochs", "three", "integer"),
        ("recipe.epochs", True, "integer"),
        ("recipe.clip", "norms", "did you mean 'norm'"),
        ("cell", "lsmt", "did you mean 'lstm'"),
        ("execution.device", "gpu one", "device"),
        ("recipe.learning_rate", float("nan"), "finite"),
    ],
)
def test_other_values_are_refused_with_what_is_allowed(path: str, value: Any, said: str) -> None:
    with pytest.raises(BadValueError, match=said):
        check_value(path, value)


@pytest.mark.parametrize(
    ("path", "can"),
    [("recipe.truncation", True), ("recipe.target", True), ("recipe.epochs", False), ("options.x", False)],
)
def test_what_can_be_unset(path: str, can: bool) -> None:
    assert can_be_unset(path) == can
