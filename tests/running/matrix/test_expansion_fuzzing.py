"""Whatever a matrix, a `--set` or a filter holds: trials, or an error in words, and no other exception."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from fixtures.damaged import damaged, odd_texts
from fixtures.matrix_worlds import AXES, GOOD, TASKS, small_registry
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.cli.request import _retry, _seconds, memory_bytes, split_pythons
from benchsuite.errors import MatrixError, RequestError
from benchsuite.running.matrix import Matrix, expand, parse_matrix, split_values
from benchsuite.running.matrix.filters import narrow
from benchsuite.running.matrix.overrides import parse_value
from benchsuite.running.shards import parse_shard

REGISTRY = small_registry()
BUILT_IN = [
    file.read_bytes()
    for file in (resources.files("benchsuite.running") / "matrices").iterdir()
    if file.name.endswith(".toml")
]
FIELDS = (
    *("seed", "cell", "size.hidden", "recipe.epochs", "options.horizon", "tasks.alpha.source", "tasks.alpha"),
    *("exclude", "device", "name", "unroll"),
)
KEYS = (
    *(
        "axes",
        "tasks",
        "include",
        "exclude",
        "defaults",
        "name",
        "summary",
        "task",
        "alpha",
        "source",
        "seed",
    ),
    *("size", "hidden", "recipe", "cell", "backend", "options", "horizon", "epochs", "architecture"),
)

keys = st.sampled_from(KEYS) | st.text(max_size=5)
tables = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | odd_texts | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


def expanded(matrix: Matrix, overrides: tuple[str, ...] = ()) -> None:
    with contextlib.suppress(MatrixError):
        assert expand(matrix, REGISTRY, overrides).trials


@pytest.mark.parametrize("text", [f"seed = {'9' * 5_000}", f"seed = {'[' * 5_000}", f"x = {'{a=' * 2_000}"])
def test_toml_that_python_does_not_parse_is_no_traceback(text: str) -> None:
    with pytest.raises(MatrixError):
        parse_matrix(GOOD + text, "test", "test.toml")
    assert isinstance(parse_value(text.partition("= ")[2]), str)


@settings(max_examples=80)
@given(damaged(st.sampled_from([*BUILT_IN, GOOD.encode()])))
def test_a_damaged_file_is_a_matrix_or_is_refused(content: bytes) -> None:
    with contextlib.suppress(MatrixError):
        expanded(parse_matrix(content.decode(errors="replace"), "test", "test.toml"))


@settings(max_examples=60)
@given(st.dictionaries(keys, tables, max_size=4), AXES)
def test_tables_of_anything_are_trials_or_are_refused(data: dict[str, Any], axes: dict[str, Any]) -> None:
    expanded(Matrix("test", data))
    expanded(Matrix("test", {"axes": axes, "tasks": TASKS, **data}))
    own = data.get("axes")
    expanded(Matrix("test", {**data, "axes": {**axes, **(own if isinstance(own, dict) else {})}}))


@settings(max_examples=150)
@given(st.lists(odd_texts | st.builds("{}={}".format, st.sampled_from(FIELDS), odd_texts), max_size=3))
def test_settings_of_the_command_line_are_trials_or_are_refused(overrides: list[str]) -> None:
    expanded(parse_matrix(GOOD, "test", "test.toml"), tuple(overrides))


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(["task", "seed", "cell"]) | odd_texts, st.lists(odd_texts, max_size=2))
)
def test_filters_keep_trials_or_are_refused(filters: dict[str, list[str]]) -> None:
    everything = expand(parse_matrix(GOOD, "test", "test.toml"), REGISTRY)
    with contextlib.suppress(RequestError):
        assert narrow(everything, filters).trials


PARSERS: tuple[Callable[[str], object], ...] = (
    memory_bytes, _seconds, _retry, split_pythons, split_values, parse_shard,
)  # fmt: skip


@settings(max_examples=200)
@given(odd_texts, st.sampled_from(PARSERS))
def test_values_of_options_are_read_or_refused(text: str, parse: Callable[[str], object]) -> None:
    with contextlib.suppress(RequestError):
        parse(text)
