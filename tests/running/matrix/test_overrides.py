"""Settings from the command line go before those of the matrix."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.matrix_worlds import small_registry

from benchsuite.running.matrix import Matrix, expand
from benchsuite.schema import Trial

REGISTRY = small_registry()


def trials(data: dict[str, Any], *overrides: str) -> list[Trial]:
    return list(expand(Matrix("test", data), REGISTRY, overrides).trials)


BASE: dict[str, Any] = {
    "task": "alpha",
    "source": "tiny",
    "cell": "lstm",
    "architecture": "plain",
    "backend": "numpy",
}


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
