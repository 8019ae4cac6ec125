"""The plugin is found, and keeps benchsuite's contract in everything that it claims."""

from __future__ import annotations

import pytest
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cell_kit import load_reference
from benchsuite.measure.conformance.suite import KitItem, run_item, suite
from benchsuite.plugins import load_backend, registry
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent

BACKEND, REFERENCE = load_backend("new_backend"), load_reference()
PRECISIONS = [Execution(precision="float64"), Execution(precision="float32")]


def test_the_plugin_is_found() -> None:
    owner = registry().owners["backend:new_backend"]
    assert owner.distribution == "benchsuite-new-backend"
    assert not owner.problem


@pytest.mark.parametrize("execution", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("item", suite(core=True), ids=lambda item: item.name)
def test_the_kit(item: KitItem, execution: Execution) -> None:
    result = run_item(Kit(BACKEND, REFERENCE, execution), item)
    if result.status == "unsupported":
        pytest.skip(result.message)
    assert result.status == "ok", result.message


def test_what_it_lacks_is_declined_with_a_reason() -> None:
    both = Recurrent("rnn", 3, bidirectional=True)
    model = ModelSpec(Features(2), both, Dense(2), "cross_entropy")
    reason = BACKEND.supports(model, Recipe(), Execution())
    assert reason == "the new_backend backend has no architecture 'bidirectional'; it has plain"
