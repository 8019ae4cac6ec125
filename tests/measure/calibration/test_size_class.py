"""Models of one size class share a calibration; others do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.numpy_cases import decoder_model, model
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch
from benchsuite.measure.calibration.size_class import EXACT, _class, size_class
from benchsuite.schema import Execution, ModelSpec, Recipe


def batch(rows: int = 64, time: int = 28, ragged: bool = False) -> Batch:
    lengths = np.full(rows, time, np.int32)
    lengths[0] -= ragged
    return Batch(np.zeros((rows, time, 3), np.float32), lengths, np.zeros(rows, np.int32))


def of(spec: ModelSpec | None = None, taken: Batch | None = None, **more: object) -> str:
    recipe = Recipe.model_validate(more.get("recipe", {}))
    execution = Execution.model_validate(more.get("execution", {}))
    return size_class(spec or model(hidden=64), recipe, execution, taken or batch())


def test_nearly_equal_sizes_are_one_class() -> None:
    assert of() == of(model(hidden=70), batch(60, 30))


@pytest.mark.parametrize(
    "other",
    [
        of(model(hidden=128)),
        of(model("gru", hidden=64)),
        of(model("lstm", "bidirectional", hidden=64)),
        of(model(hidden=64, head="rbf")),
        of(decoder_model()),
        of(taken=batch(rows=128)),
        of(taken=batch(time=100)),
        of(taken=batch(ragged=True)),
        of(recipe={"truncation": 5}),
        of(recipe={"recurrent_dropout": 0.5}),
        of(execution={"precision": "float64"}),
        of(execution={"threads": 2}),
        of(execution={"unroll": "best"}),
        of(execution={"choices": "products=blas"}),
    ],
)
def test_what_changes_the_time_of_a_step_is_another_class(other: str) -> None:
    assert other != of()


@pytest.mark.parametrize("recipe", [{"learning_rate": 0.5}, {"optimiser": "sgd"}, {"epochs": 7}])
def test_the_rest_of_the_recipe_is_not(recipe: dict[str, object]) -> None:
    assert of(recipe=recipe) == of()


def test_a_decoder_is_classed_by_its_targets() -> None:
    targets = np.ones((4, 20), np.int32)
    long = replace(batch(4), targets=targets, target_lengths=np.full(4, 20, np.int32))
    short = replace(long, targets=targets[:, :5], target_lengths=np.full(4, 5, np.int32))
    assert of(decoder_model(), long) != of(decoder_model(), short)


@given(st.integers(0, 2**40))
def test_a_class_is_near_and_is_its_own_class(number: int) -> None:
    found = _class(number)
    assert _class(found) == found
    assert found == number if number <= EXACT else 0.7 < found / number < 1.42
