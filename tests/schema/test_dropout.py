"""Which masks a model has under a recipe, and what has nothing to mask."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fixtures.numpy_cases import decoder_model, model
from fixtures.tiny import trial

from benchsuite.contracts import model_problem
from benchsuite.schema import (
    DROPOUTS,
    Convolutional,
    Dense,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
    mask_widths,
)

CNN = ModelSpec(Features(3), Convolutional(4, 3), Dense(2), "cross_entropy")


def test_masks_of_a_stack() -> None:
    spec = model("lstm", "deep_bidirectional", hidden=4, size=3)
    assert mask_widths(spec, Recipe(input_dropout=0.1)) == {"rnn.l0.x": (0.1, 3)}
    assert mask_widths(spec, Recipe(layer_dropout=0.2)) == {"rnn.l1.x": (0.2, 8)}
    names = ("rnn.l0.fwd.h", "rnn.l0.bwd.h", "rnn.l1.fwd.h", "rnn.l1.bwd.h")
    assert mask_widths(spec, Recipe(recurrent_dropout=0.3)) == dict.fromkeys(names, (0.3, 4))
    assert mask_widths(spec, Recipe()) == mask_widths(CNN, Recipe(input_dropout=0.1)) == {}


def test_masks_of_a_decoder() -> None:
    spec = decoder_model("gru", "deep", "additive", "tokens", hidden=4, size=3)
    recipe = Recipe(input_dropout=0.1, layer_dropout=0.2, recurrent_dropout=0.3)
    assert mask_widths(spec, recipe) == {
        "rnn.l0.x": (0.1, 3),
        "rnn.l1.x": (0.2, 4),
        "rnn.l0.fwd.h": (0.3, 4),
        "rnn.l1.fwd.h": (0.3, 4),
        "dec.l0.x": (0.1, 3),
        "dec.l1.x": (0.2, 5),
        "dec.l0.fwd.h": (0.3, 5),
        "dec.l1.fwd.h": (0.3, 5),
    }


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_that_has_nothing_to_act_on_is_refused(name: str) -> None:
    recipe = Recipe.model_validate({name: 0.5})
    assert "the convolutional baseline has none" in str(model_problem(CNN, recipe))
    one_layer = model_problem(model("lstm"), recipe)
    assert (one_layer is None) == (name != "layer_dropout")
    assert model_problem(model("lstm", "deep"), recipe) is None
    if name == "layer_dropout":
        assert "this model has one layer" in str(one_layer)
        assert "this model has one layer" in str(model_problem(decoder_model("gru"), recipe))


@pytest.mark.usefixtures("example_cells")
def test_a_cell_whose_step_reads_no_state_has_no_recurrent_dropout() -> None:
    spec = replace(model("lstm"), body=Recurrent("decay", 4))
    assert "a step of cell 'decay' reads none" in str(model_problem(spec, Recipe(recurrent_dropout=0.5)))
    assert model_problem(spec, Recipe(input_dropout=0.5)) is None


@pytest.mark.parametrize(
    ("architecture", "kept"), [("plain", 2), ("bidirectional", 2), ("cnn", 0), ("deep", 3)]
)
def test_dropout_that_an_architecture_ignores_changes_no_id(architecture: str, kept: int) -> None:
    plain = trial(architecture=architecture)
    dropped = [trial(architecture=architecture, recipe={name: 0.5}) for name in DROPOUTS]
    assert sum(one.id != plain.id for one in dropped) == kept
    objects = [
        trial(architecture=architecture, recipe=Recipe.model_validate({name: 0.5})) for name in DROPOUTS
    ]
    assert objects == dropped
