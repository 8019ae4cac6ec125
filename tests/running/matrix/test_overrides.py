"""Settings from the command line go before those of the matrix."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.matrix_worlds import BASE, small_registry, trials

from benchsuite.schema import Trial

REGISTRY = small_registry()


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("cell=gru,rnn", ["gru", "rnn"]),
        ('cell=["gru"]', ["gru"]),
        ("cell='gru'", ["gru"]),
        ("cell = gru", ["gru"]),
        ("cell=[gru, rnn]", ["gru", "rnn"]),
    ],
)
def test_overrides_are_toml_or_plain_words(override: str, values: list[str]) -> None:
    assert [trial.cell for trial in trials({"axes": BASE}, override)] == values


def test_an_overridden_option_is_for_the_tasks_that_have_it() -> None:
    data = {"axes": {**BASE, "task": ["alpha", "beta"]}, "tasks": {"beta": {"source": "only"}}}
    assert [trial.options.get("horizon") for trial in trials(data, "options.horizon=3")] == [3, None]


@pytest.mark.parametrize(
    ("added", "path", "values"),
    [
        (("backend+=torch",), "backend", ["numpy", "torch"]),
        (("backend += torch,jax",), "backend", ["numpy", "torch", "jax"]),
        (("backend+=numpy",), "backend", ["numpy"]),
        (("backend=jax", "backend+=torch"), "backend", ["jax", "torch"]),
        (("cell+=gru",), "cell", ["lstm", "gru"]),
        (("seed+=5",), "seed", [0, 5]),
        (("recipe.clip+=norm",), "recipe.clip", ["none", "norm"]),
        (("recipe.truncation+=3",), "recipe.truncation", [None, 3]),
        (("tasks.alpha.cell+=rnn",), "cell", ["lstm", "rnn"]),
        (("options.horizon+=3",), "options", [24, 3]),
    ],
)
def test_what_is_added_comes_behind_what_the_field_has(
    added: tuple[str, ...], path: str, values: list[Any]
) -> None:
    def read(trial: Trial) -> Any:
        group, _, name = path.partition(".")
        found = getattr(trial, group)
        return found["horizon"] if path == "options" else getattr(found, name) if name else found

    assert [read(trial) for trial in trials({"axes": BASE}, *added)] == values


def test_every_block_has_what_is_added() -> None:
    include = [{"cell": "gru"}, {"cell": "rnn", "backend": "torch"}]
    data = {"axes": BASE, "include": include}
    found = [(trial.cell, trial.backend) for trial in trials(data, "backend+=jax")]
    expected = [("lstm", "numpy"), ("gru", "numpy"), ("rnn", "torch")]
    assert found == [pair for cell, one in expected for pair in ((cell, one), (cell, "jax"))]


def test_a_task_is_added_with_a_source_of_its_own() -> None:
    found = trials({"axes": BASE}, "task+=beta", "tasks.beta.source=only")
    assert [(trial.task, trial.source) for trial in found] == [("alpha", "tiny"), ("beta", "only")]


def test_an_added_option_is_for_the_tasks_that_have_it() -> None:
    data = {"axes": {**BASE, "task": ["alpha", "beta"]}, "tasks": {"beta": {"source": "only"}}}
    found = [trial.options.get("horizon") for trial in trials(data, "options.horizon+=3")]
    assert found == [24, 3, None]
