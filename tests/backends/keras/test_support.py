"""What the Keras backends decline, and in which words; nothing here imports Keras."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.schema import Dense, Execution, Features, ModelSpec, Rbf, Recipe, Recurrent
from benchsuite_keras.support import SUPPORTED

MODEL = ModelSpec(Features(3), Recurrent("lstm", 4), Dense(2), "cross_entropy")


def declined(framework: str, execution: dict[str, Any], recipe: dict[str, Any], **model: Any) -> str | None:
    fields = {"input": MODEL.input, "body": MODEL.body, "head": MODEL.head, "loss": MODEL.loss}
    return SUPPORTED[framework].declines(
        ModelSpec(**{**fields, **model}),
        Recipe.model_validate(recipe),
        Execution.model_validate(execution),
    )


@pytest.mark.parametrize("framework", SUPPORTED)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_three_cells_are_run_deep_and_in_both_directions(framework: str, cell: str) -> None:
    body = Recurrent(cell, 4, layers=2, bidirectional=True)
    assert declined(framework, {}, {"optimiser": "adam", "clip": "norm"}, body=body) is None


@pytest.mark.parametrize("framework", SUPPORTED)
@pytest.mark.parametrize(
    ("recipe", "model", "words"),
    [
        ({"optimiser": "rmsprop"}, {}, "epsilon inside the root"),
        ({"input_dropout": 0.5}, {}, "recipe.input_dropout"),
        ({"truncation": 3}, {}, "differentiate whole sequences"),
        ({"carry": True}, {}, "train_on_batch returns no states"),
        ({}, {"head": Rbf(2)}, "head 'rbf'"),
        ({}, {"loss": "ctc", "readout": "steps"}, "loss 'ctc'"),
    ],
)
def test_what_keras_has_not_is_declined_with_the_reason(
    framework: str, recipe: dict[str, Any], model: dict[str, Any], words: str
) -> None:
    assert words in str(declined(framework, {}, recipe, **model))


@pytest.mark.parametrize(("framework", "declines"), [("tensorflow", False), ("jax", True), ("torch", True)])
def test_double_precision_is_for_tensorflow_alone(framework: str, declines: bool) -> None:
    reason = declined(framework, {"precision": "float64"}, {})
    assert ("multiplies float64 in float32" in str(reason)) == declines


def test_the_absolute_loss_is_declined_where_its_slope_is_another() -> None:
    assert "the slope" in str(declined("jax", {}, {}, loss="absolute"))
    assert declined("torch", {}, {}, loss="absolute") is None


def test_fused_layers_need_a_gpu_and_a_cell_that_has_one() -> None:
    assert "use_cudnn needs a GPU" in str(declined("torch", {"unroll": "fused"}, {}))
    gpu = {"unroll": "fused", "device": "gpu"}
    assert declined("torch", gpu, {}) is None
    assert "use_cudnn has no kernel" in str(declined("jax", gpu, {}, body=Recurrent("gru", 4)))


@pytest.mark.parametrize(
    ("framework", "words"),
    [("torch", "fails on a mask"), ("tensorflow", "other numbers"), ("jax", None)],
)
def test_layers_that_read_backwards_are_unrolled_where_keras_reads_their_masks(
    framework: str, words: str | None
) -> None:
    body = Recurrent("lstm", 4, bidirectional=True)
    reason = declined(framework, {"unroll": "static"}, {}, body=body)
    assert reason is None if words is None else words in str(reason)
    assert declined(framework, {"unroll": "dynamic"}, {}, body=body) is None
