"""The model that is planned with while a trial's data are not loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fixtures.tiny import trial

from benchsuite.contracts import model_problem
from benchsuite.errors import UnknownNameError
from benchsuite.schema import (
    ARCHITECTURES,
    BUILTIN_CELLS,
    Convolutional,
    Recipe,
    Recurrent,
    parameter_shapes,
    planned_model,
)


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_it_has_all_that_the_trial_says(architecture: str, cell: str) -> None:
    one = trial(architecture=architecture, cell=cell, size={"hidden": 5, "layers": 3, "embedding": 4})
    model = planned_model(one)
    assert model_problem(model, Recipe()) is None
    assert parameter_shapes(model)
    if architecture == "cnn":
        assert isinstance(model.body, Convolutional)
        return
    layers = 1 if architecture in ("plain", "bidirectional") else 3
    assert model.body == Recurrent(cell, 5, layers, "bidirectional" in architecture)
    assert (model.decoder is not None) is (architecture in ("encoder_decoder", "attention"))
    if model.decoder is not None:
        assert model.decoder.body == Recurrent(cell, 5, 3)
        assert model.decoder.embedding == 4
        assert (model.decoder.attention == "none") is (architecture == "encoder_decoder")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cell": "gruu"}, "unknown cell 'gruu'; did you mean 'gru'"),
        ({"cell": "none"}, "unknown cell 'none'"),
        ({"architecture": "deeep"}, "unknown architecture 'deeep'; did you mean 'deep'"),
    ],
)
def test_names_that_nobody_knows_are_a_wrong_request(fields: dict[str, str], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        planned_model(trial(**fields))


def test_it_has_resets_where_rows_hold_several_sequences() -> None:
    model = planned_model(trial(architecture="deep"))
    assert not model.resets
    assert planned_model(trial(architecture="deep"), resets=True) == replace(model, resets=True)
