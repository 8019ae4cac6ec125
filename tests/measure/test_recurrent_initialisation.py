"""Initial values that a recipe asks for: what changes, what does not, and who has none of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.numpy_cases import decoder_model

from benchsuite.contracts import model_problem
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.schema import (
    BUILTIN_CELLS,
    GATES,
    INITIALISATIONS,
    Convolutional,
    Dense,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
)

HIDDEN = 40
CNN = ModelSpec(Features(3), Convolutional(4, 3), Dense(2), "cross_entropy")


def stack(cell: str, inputs: int = 30) -> ModelSpec:
    return ModelSpec(Features(inputs), Recurrent(cell, HIDDEN, 2, True), Dense(3), "cross_entropy")


def weights(model: ModelSpec, **fields: Any) -> dict[str, np.ndarray]:
    return initial_parameters(model, 0, "float64", Recipe.model_validate(fields))


@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_defaults_are_the_cells_own(cell: str) -> None:
    plain, found = initial_parameters(stack(cell), 0, "float64"), weights(stack(cell))
    for name, value in plain.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("form", INITIALISATIONS)
@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_forms_are_what_they_say(cell: str, form: str) -> None:
    found, plain = weights(stack(cell), initialisation=form), initial_parameters(stack(cell), 0, "float64")
    for name, value in found.items():
        kind = name.rpartition(".")[2]
        if not name.startswith("rnn."):
            np.testing.assert_array_equal(value, plain[name])
        elif form == "uniform":
            bound = HIDDEN**-0.5
            assert 0.8 * bound < np.abs(value).max() <= bound
        elif kind.startswith("b"):
            np.testing.assert_array_equal(value, plain[name])
        else:
            for gate in np.split(value, GATES[cell], axis=1):
                rows, columns = gate.shape
                product = gate @ gate.T if rows < columns else gate.T @ gate
                orthonormal = np.allclose(product, np.eye(min(gate.shape)), atol=1e-12)
                assert orthonormal == (form == "orthogonal" or (form == "default" and kind == "Wh"))
                if not orthonormal:
                    assert np.abs(gate).max() <= np.sqrt(6 / (rows + columns))


@pytest.mark.parametrize("form", INITIALISATIONS)
@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_the_scale_is_that_of_the_recurrent_matrices(cell: str, form: str) -> None:
    plain = weights(stack(cell), initialisation=form)
    scaled = weights(stack(cell), initialisation=form, recurrent_scale=0.5)
    for name, value in plain.items():
        factor = 0.5 if name.endswith(".Wh") else 1
        np.testing.assert_allclose(scaled[name], factor * value, rtol=1e-15, err_msg=name)


@pytest.mark.parametrize("form", INITIALISATIONS)
@pytest.mark.parametrize("bias", [0.0, -3.0, 2.5])
def test_the_forget_bias_is_that_of_one_gate(form: str, bias: float) -> None:
    plain = weights(stack("lstm"), initialisation=form)
    found = weights(stack("lstm"), initialisation=form, forget_bias=bias)
    for name, value in plain.items():
        expected = value.copy()
        if name.endswith(".b") and name.startswith("rnn."):
            expected[HIDDEN : 2 * HIDDEN] = bias
        np.testing.assert_array_equal(found[name], expected, err_msg=name)


def test_a_decoder_begins_alike_with_its_own_width() -> None:
    spec = decoder_model("lstm", "deep", hidden=9)
    found = weights(spec, initialisation="uniform", forget_bias=2.0)
    for name in ("dec.l0.fwd.b", "dec.l1.fwd.b"):
        assert (found[name][10:20] == 2).all()
        assert np.abs(found[name][:10]).max() <= 10**-0.5
    assert 0 < np.abs(found["dec.l1.fwd.Wh"]).max() <= 10**-0.5


@pytest.mark.parametrize(
    ("spec", "fields", "message"),
    [
        (replace(CNN), {"initialisation": "glorot"}, "cell 'none' has initial values of its own"),
        (stack("gru"), {"forget_bias": 1.0}, "cell 'gru' has no forget gate"),
        (stack("rnn"), {"forget_bias": 0.0}, "recipe.forget_bias is for the cell lstm"),
    ],
)
def test_models_that_have_none_of_it_say_so(spec: ModelSpec, fields: dict[str, Any], message: str) -> None:
    assert message in str(model_problem(spec, Recipe.model_validate(fields)))
    assert model_problem(spec, Recipe()) is None


def test_cells_of_plugins_have_initial_values_of_their_own(example_cells: dict[str, object]) -> None:
    for cell in example_cells:
        spec = stack(cell)
        scaled = model_problem(spec, Recipe(recurrent_scale=2.0))
        assert f"recipe.recurrent_scale is for the cells rnn, lstm, gru; cell {cell!r} has" in str(scaled)
        assert model_problem(spec, Recipe()) is None
