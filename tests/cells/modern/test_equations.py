"""Each cell against a plain loop written from its paper's equations; and the traps of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fixtures.modern_layers import initial_weights, modern_cell, run_layer, varied_weights
from fixtures.modern_loops import LOOPS, columns, layer_norm, sigmoid
from fixtures.sources import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.plugins import registry
from benchsuite.schema.cells import AffineCell

NAMES = sorted(LOOPS)
AFFINE = {"mingru", "minlstm", "lru", "rglru"}


def test_there_is_a_loop_for_each_cell_that_ships() -> None:
    own = {key for key, owner in registry().owners.items() if owner.name == "modern_cells"}
    assert own == {f"cell:{name}" for name in LOOPS}
    assert {name for name in LOOPS if isinstance(modern_cell(name), AffineCell)} == AFFINE


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(
    inputs=st.integers(1, 4),
    hidden=st.integers(1, 5),
    steps=st.integers(1, 7),
    seed=st.integers(0, 9),
    scale=st.sampled_from([0.01, 1.0, 4.0]),
)
def test_a_layer_is_what_the_loop_says(
    name: str, inputs: int, hidden: int, steps: int, seed: int, scale: float
) -> None:
    weights = varied_weights(name, inputs, hidden, seed)
    x = np.random.default_rng(seed).normal(0, scale, (3, steps, inputs))
    found, state = run_layer(name, weights, x, hidden)
    for row in range(3):
        expected, ends = LOOPS[name](weights, x[row], None)
        np.testing.assert_allclose(found[row], expected, rtol=1e-9, atol=1e-12)
        for part, end in zip(state, ends, strict=True):
            np.testing.assert_allclose(part[row], end, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_goes_on_from_a_state(name: str) -> None:
    weights = varied_weights(name, 3, 4)
    x = np.random.default_rng(1).normal(size=(2, 6, 3))
    whole, end = run_layer(name, weights, x, 4)
    first, middle = run_layer(name, weights, x[:, :2], 4)
    second, last = run_layer(name, weights, x[:, 2:], 4, middle)
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, rtol=1e-12, atol=1e-14)
    for part, other in zip(last, end, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-12, atol=1e-14)
    expected, _ = LOOPS[name](weights, x[0, 2:], [part[0] for part in middle])
    np.testing.assert_allclose(second[0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_two_thousand_steps_of_any_size_stay_finite(name: str, dtype: str, scale: float) -> None:
    weights = initial_weights(name, 2, 4, dtype=dtype)
    x = (np.random.default_rng(0).normal(size=(2, 2000, 2)) * scale).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found, _ = run_layer(name, weights, x, 4)
    assert found.dtype == dtype
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_a_cell_has_at_most_sixty_lines(name: str) -> None:
    text = (ROOT / "cells" / "benchsuite_modern" / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60


def test_states_of_mingru_and_minlstm_are_never_negative() -> None:
    for name in ("mingru", "minlstm"):
        x = np.random.default_rng(0).normal(0, 5, (3, 50, 2))
        found, _ = run_layer(name, varied_weights(name, 2, 6), x, 6)
        assert found.min() > 0


def test_the_gates_of_minlstm_are_normalised_where_both_underflow() -> None:
    """sigmoid(-200) is 0 in float32, so f / (f + i) is no number; the state must stay a mean of h and c."""
    weights = {"Wx": np.zeros((1, 3), np.float32), "b": np.array([-200, -200, 1], np.float32)}
    found, _ = run_layer("minlstm", weights, np.zeros((1, 3, 1), np.float32), 1)
    np.testing.assert_allclose(found[0, :, 0], [0.75, 1.125, 1.3125])


def test_the_other_formula_of_layer_normalisation_is_another_cell() -> None:
    """LayerNormBasicLSTMCell of TensorFlow 1: the sum of both products gate by gate; the cell is carried
    normalised."""
    weights = varied_weights("lstm_layernorm", 3, 4)
    x = np.random.default_rng(0).normal(size=(1, 3, 3))
    h, c = np.zeros(4), np.zeros(4)
    gains, biases = columns(weights["gx"], 4), columns(weights["b"], 4)
    for row in x[0]:
        sums = columns(row @ weights["Wx"] + h @ weights["Wh"], 4)
        i, f, g, o = (
            gain * layer_norm(each) + bias for gain, each, bias in zip(gains, sums, biases, strict=True)
        )
        c = weights["gc"] * layer_norm(sigmoid(f) * c + sigmoid(i) * np.tanh(g)) + weights["bc"]
        h = sigmoid(o) * np.tanh(c)
    found, _ = run_layer("lstm_layernorm", weights, x, 4)
    assert np.abs(found[0, -1] - h).max() > 0.01


def test_slstm_treats_a_fresh_row_beside_a_carried_one_as_if_it_were_alone() -> None:
    weights = varied_weights("slstm", 2, 3)
    x = np.random.default_rng(0).normal(0, 2, (2, 4, 2))
    _, carried = run_layer("slstm", weights, x[:1], 3)
    mixed = tuple(
        np.concatenate([part, np.full((1, 3), start.initial)])
        for part, start in zip(carried, modern_cell("slstm").state, strict=True)
    )
    found, _ = run_layer("slstm", weights, x, 3, mixed)
    alone, _ = run_layer("slstm", weights, x[1:], 3)
    np.testing.assert_array_equal(found[1], alone[0])


def test_a_closed_gate_of_rglru_keeps_its_state_and_adds_nothing() -> None:
    weights = varied_weights("rglru", 1, 2)
    weights["bg"][:2] = -800.0  # r is 0: a is 1, and 1 - a^2 is 0
    x = np.random.default_rng(0).normal(size=(1, 50, 1))
    found, _ = run_layer("rglru", weights, x, 2)
    np.testing.assert_array_equal(found, np.broadcast_to(found[:, :1], found.shape))
    assert np.abs(found).min() > 0, "the first step has the multiplier 1"


def test_a_weight_of_indrnn_beyond_its_bound_does_not_explode() -> None:
    weights = {"W": np.ones((1, 2)), "u": np.array([1.5, -3.0]), "b": np.zeros(2)}
    x = np.zeros((1, 2000, 1))
    x[0, 0] = 1
    found, _ = run_layer("indrnn", weights, x, 2)
    assert found[0, -1].tolist() == [1.0, 0.0]


def test_lru_is_linear_and_its_eigenvalues_start_on_the_ring() -> None:
    weights = initial_weights("lru", 3, 200)
    nu, theta, gamma = columns(weights["ring"], 3)
    radius, phase = np.exp(-np.exp(nu)), np.exp(theta)
    assert radius.min() > 0.9
    assert radius.max() < 0.999
    assert phase.min() > 0
    assert phase.max() < 2 * math.pi
    np.testing.assert_allclose(np.exp(gamma), np.sqrt(1 - radius**2), rtol=1e-12)
    one, two = np.random.default_rng(0).normal(size=(2, 1, 5, 3))
    parts = [run_layer("lru", weights, x, 200)[0] for x in (one, two, 2 * one - two)]
    np.testing.assert_allclose(parts[2], 2 * parts[0] - parts[1], rtol=1e-9, atol=1e-12)


def test_decays_of_rglru_start_where_the_paper_says() -> None:
    weights = initial_weights("rglru", 3, 500)
    slowest = np.exp(-8 * np.log1p(np.exp(weights["L"])))
    assert slowest.min() > 0.9
    assert slowest.max() < 0.999
    assert slowest.mean() == pytest.approx(0.9495, abs=0.005)


@pytest.mark.parametrize("name", ["lstm_peephole", "lstm_layernorm"])
def test_forget_gates_start_open_as_in_lstm(name: str) -> None:
    assert columns(initial_weights(name, 3, 4)["b"], 4)[1].tolist() == [1.0] * 4
