"""A backend's table says what it runs, and declines everything else in one form of words."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from benchsuite.contracts import INGREDIENTS, Supported, absent_device
from benchsuite.errors import ContractError
from benchsuite.schema import (
    ARCHITECTURES,
    BUILTIN_CELLS,
    Convolutional,
    Decoder,
    Dense,
    DeviceName,
    Execution,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    Tokens,
    Trial,
    architecture_of,
    planned_model,
)

PLAIN = ModelSpec(Features(2), Recurrent("rnn", 3), Dense(4), "cross_entropy")
SMALL = Supported(
    backend="mine",
    cells=("rnn",),
    heads=("dense",),
    losses=("cross_entropy",),
    optimisers=("adam",),
    unrolls=("dynamic",),
    precisions=("float32",),
    inputs=("features",),
)
"""The smallest table."""
SEVERAL = Tokens(5, 3)

Change = dict[str, Any]


@pytest.mark.parametrize(
    ("model", "recipe", "execution", "words"),
    [
        ({"body": Recurrent("lstm", 3)}, {}, {}, "cell 'lstm'; it has rnn"),
        ({"body": Recurrent("rnn", 3, 2)}, {}, {}, "architecture 'deep'; it has plain"),
        ({"body": Recurrent("rnn", 3, 1, True)}, {}, {}, "architecture 'bidirectional'; it has plain"),
        ({"body": Convolutional(4, 4)}, {}, {}, "architecture 'cnn'; it has plain"),
        ({"input": SEVERAL}, {}, {}, "input 'tokens'; it has features"),
        ({"head": Rbf(4)}, {}, {}, "head 'rbf'; it has dense"),
        ({"head": Dense(4, tied=True)}, {}, {}, "head 'tied'; it has dense"),
        ({"loss": "squared"}, {}, {}, "loss 'squared'; it has cross_entropy"),
        ({"readout": "mean"}, {}, {}, "readout 'mean'; it has last"),
        ({"resets": True}, {}, {}, "resets: several sequences in one row"),
        ({}, {"optimiser": "sgd"}, {}, "optimiser 'sgd'; it has adam"),
        ({}, {"clip": "norm"}, {}, "clipping 'norm'; it has none"),
        ({}, {"truncation": 3}, {}, "truncated BPTT (recipe.truncation 3)"),
        ({}, {"carry": True}, {}, "states carried from batch to batch (recipe.carry)"),
        ({}, {"weight_decay": 0.1}, {}, "recipe.weight_decay (given 0.1); leave it at 0.0"),
        ({}, {}, {"unroll": "fused"}, "unroll 'fused'; it has dynamic"),
        ({}, {}, {"precision": "float64"}, "precision 'float64'; it has float32"),
        ({}, {}, {"device": "gpu:1"}, "device 'gpu'; it has cpu"),
    ],
)
def test_what_is_not_in_the_table_is_declined(
    model: Change, recipe: Change, execution: Change, words: str
) -> None:
    asked = (replace(PLAIN, **model), Recipe.model_validate(recipe), Execution.model_validate(execution))
    assert SMALL.declines(*asked) == f"the mine backend has no {words}"
    assert Supported.everything("mine").declines(*asked) is None


def test_what_is_in_the_table_is_not_declined() -> None:
    assert SMALL.declines(PLAIN, Recipe(), Execution()) is None


@pytest.mark.parametrize("name", INGREDIENTS)
def test_everything_but_one_ingredient(name: str) -> None:
    asked: dict[str, Any] = {"schedule": "cosine", "warmup": 5}
    recipe = Recipe.model_validate({name: asked.get(name, 0.5)})
    table = Supported.everything("mine", ingredients=tuple(one for one in INGREDIENTS if one != name))
    assert f"no recipe.{name}" in str(table.declines(PLAIN, recipe, Execution()))


def test_a_table_for_an_unroll_or_a_device_narrows_the_one_around_it() -> None:
    narrow = Supported.everything("mine", cells=("lstm",), because={"cells": "why"}, instead="use dynamic")
    table = Supported.everything("mine", under={"fused": narrow, "gpu": replace(narrow, carry=False)})
    said = "has no cell 'rnn' (why); it has lstm; use dynamic"
    assert table.declines(PLAIN, Recipe(), Execution()) is None
    fused, gpu = Execution(unroll="fused"), Execution(device="gpu")
    assert table.declines(PLAIN, Recipe(), fused) == f"the mine backend under unroll fused {said}"
    assert table.declines(PLAIN, Recipe(), gpu) == f"the mine backend on gpu {said}"
    lstm = replace(PLAIN, body=Recurrent("lstm", 3))
    assert table.declines(lstm, Recipe(carry=True), fused) is None
    carried = "states carried from batch to batch (recipe.carry); use dynamic"
    assert table.declines(lstm, Recipe(carry=True), gpu) == f"the mine backend on gpu has no {carried}"


def test_the_convolutional_baseline_has_no_unroll_to_decline() -> None:
    table = Supported.everything("mine", under={"fused": replace(SMALL, unrolls=("fused",))})
    pictures = replace(PLAIN, body=Convolutional(4, 4))
    assert table.declines(pictures, Recipe(), Execution(unroll="fused")) is None


def test_a_decoders_cell_is_asked_for_too() -> None:
    table = Supported.everything("mine", cells=("rnn",))
    decoder = Decoder(5, 2, Recurrent("gru", 3), "none", 4)
    model = replace(PLAIN, input=SEVERAL, head=Dense(5), decoder=decoder)
    assert "no cell 'gru'" in str(table.declines(model, Recipe(), Execution()))


@pytest.mark.parametrize(
    "name", [one.name for one in fields(Supported) if one.name not in ("backend", "cells", "instead")]
)
def test_a_name_that_does_not_exist_is_refused(name: str) -> None:
    value: Any = {"nothing": SMALL} if name == "under" else {"nothing": "why"}
    if name not in ("under", "because"):
        if isinstance(getattr(SMALL, name), bool):
            return
        value = ("nothing",)
    with pytest.raises(ContractError, match=r"unknown .* 'nothing'"):
        Supported.everything("mine", **{name: value})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_the_architecture_of_a_planned_model_is_the_trials(architecture: str, cell: str) -> None:
    trial = Trial(task="t", source="s", cell=cell, architecture=architecture, backend="b")
    assert architecture_of(planned_model(trial)) == architecture


def test_a_gpu_that_is_not_here() -> None:
    assert absent_device("mine", DeviceName("cpu"), 0) is None
    assert absent_device("mine", DeviceName("gpu", 1), 2) is None
    assert absent_device("mine", DeviceName("gpu"), 0) == "no device 'gpu' here: mine sees no GPU"
    assert absent_device("mine", DeviceName("gpu", 2), 2) == "no device 'gpu:2' here: mine sees 2 GPUs"
    assert absent_device("mine", DeviceName("gpu", 1), 1) == "no device 'gpu:1' here: mine sees 1 GPU"
