"""The plugin is found, and keeps benchsuite's contract in everything that it claims."""

from __future__ import annotations

from benchsuite.plugins import load_backend, registry
from benchsuite.pytest_plugin.kits import BackendKit
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent


class TestNewBackend(BackendKit):
    name = "new_backend"
    unrolls = ("dynamic",)  # those that it has


def test_the_plugin_is_found() -> None:
    owner = registry().owners["backend:new_backend"]
    assert owner.distribution == "benchsuite-new-backend"
    assert not owner.problem


def test_what_it_lacks_is_declined_with_a_reason() -> None:
    both = Recurrent("rnn", 3, bidirectional=True)
    model = ModelSpec(Features(2), both, Dense(2), "cross_entropy")
    reason = load_backend("new_backend").supports(model, Recipe(), Execution())
    assert reason == "the new_backend backend has no architecture 'bidirectional'; it has plain"
