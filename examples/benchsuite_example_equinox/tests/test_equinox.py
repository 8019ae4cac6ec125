"""What the author of this backend tests in seconds: small models against NumPy's, and what the backend says of
itself. Run it where the plugin is installed. The whole contract is `benchsuite check backend equinox`."""

from __future__ import annotations

import numpy as np
import pytest

import benchsuite
from benchsuite.contracts import Batch, Parameters, Program
from benchsuite.plugins import registry
from benchsuite.schema import (
    Dense,
    Execution,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    Tokens,
    parameter_shapes,
)

STACKS = {
    "plain": Recurrent("gru", 4),
    "deep": Recurrent("lstm", 4, layers=2),
    "bidirectional": Recurrent("rnn", 4, bidirectional=True),
}


def execution(unroll: str = "dynamic") -> Execution:
    return Execution.model_validate({"precision": "float64", "unroll": unroll})


def weights(model: ModelSpec) -> Parameters:
    random = np.random.default_rng(0)
    return {name: random.normal(0, 0.4, shape) for name, shape in parameter_shapes(model).items()}


def program(backend: str, model: ModelSpec, recipe: Recipe, unroll: str = "dynamic") -> Program:
    loaded = benchsuite.load_backend(backend, execution())
    return loaded.build(model, weights(model), recipe, execution(unroll))


def squared(body: Recurrent) -> tuple[ModelSpec, Batch]:
    """A model with an output at every step, and three rows of 5, 3 and 1 steps."""
    random = np.random.default_rng(1)
    model = ModelSpec(Features(3), body, Dense(2), "squared", readout="steps")
    lengths = np.array([5, 3, 1], np.int32)
    return model, Batch(random.normal(size=(3, 5, 3)), lengths, random.normal(size=(3, 5, 2)))


def test_the_plugin_is_found_and_imports_no_framework() -> None:
    owner = registry().owners["backend:equinox"]
    assert (owner.name, owner.distribution, owner.version) == (
        "equinox",
        "benchsuite-example-equinox",
        "1.0.0",
    )
    assert not owner.problem


@pytest.mark.parametrize(
    ("stack", "unroll", "kernel"),
    [
        ("bidirectional", "dynamic", "scan"),
        ("deep", "static", "unrolled"),
        ("plain", "autograd", "autograd_loop"),
    ],
)
def test_gradients_and_derivatives_by_the_hidden_states_are_numpys(
    stack: str, unroll: str, kernel: str
) -> None:
    model, batch = squared(STACKS[stack])
    recipe = Recipe(truncation=2)
    mine, theirs = program("equinox", model, recipe, unroll), program("numpy", model, recipe)
    placed = mine.place(batch)
    found, expected = mine.gradients(placed), theirs.gradients(theirs.place(batch))
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    for ours, others in ((found.parameters, expected.parameters), (found.states, expected.states)):
        assert ours.keys() == others.keys()
        for name in ours:
            np.testing.assert_allclose(ours[name], others[name], rtol=1e-9, atol=1e-13, err_msg=name)
    mine.step(placed)
    assert mine.kernel() == kernel


def test_training_ends_at_the_parameters_of_numpy() -> None:
    model, batch = squared(STACKS["plain"])
    recipe = Recipe.model_validate(
        {"optimiser": "adam", "learning_rate": 0.05, "clip": "norm", "clip_at": 0.2, "weight_decay": 0.1}
    )
    trained = []
    for name in ("equinox", "numpy"):
        built = program(name, model, recipe)
        placed = built.place(batch)
        for _ in range(5):
            built.step(placed)
        trained.append((built.drain(), built.parameters()))
    (log, mine), (expected, theirs) = trained
    np.testing.assert_allclose(log.norm, expected.norm, rtol=1e-9)
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("recipe", "fields", "unroll", "words"),
    [
        ({}, {}, "fused", "unroll 'fused'"),
        ({"input_dropout": 0.5}, {}, "dynamic", "recipe.input_dropout"),
        ({}, {"loss": "ctc"}, "dynamic", "loss 'ctc'"),
        ({}, {"resets": True}, "dynamic", "resets"),
        ({}, {"body": STACKS["bidirectional"]}, "autograd", "has no cell 'rnn'; it has lstm, gru"),
    ],
)
def test_what_it_has_not_is_declined(recipe: dict, fields: dict, unroll: str, words: str) -> None:
    given = {"body": STACKS["plain"], "loss": "cross_entropy", **fields}
    model = ModelSpec(input=Tokens(5, 3), head=Dense(5), readout="steps", **given)
    backend = benchsuite.load_backend("equinox", execution())
    assert words in str(backend.supports(model, Recipe.model_validate(recipe), execution(unroll)))


def test_an_output_layer_may_be_euclidean() -> None:
    model = ModelSpec(Features(3), STACKS["plain"], Rbf(3), "cross_entropy", readout="mean")
    _, given = squared(STACKS["plain"])
    batch = Batch(given.inputs, given.lengths, np.array([0, 2, 1], np.int32))
    scores = []
    for name in ("equinox", "numpy"):
        built = program(name, model, Recipe())
        scores.append(built.predict(built.place(batch))[0])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-10)
