"""Initial weights: named streams, the published distributions, one rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.measure.initialisation import initial_parameters, stream
from benchsuite.schema import (
    BUILTIN_CELLS,
    GATES,
    Convolutional,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Tokens,
    parameter_shapes,
)

DEEP = ModelSpec(Tokens(50, 8), Recurrent("lstm", 12, 2, bidirectional=True), Dense(3), "cross_entropy")


def weights(model: ModelSpec, seed: int = 0, dtype: str = "float64") -> dict[str, np.ndarray]:
    return initial_parameters(model, seed, dtype)


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_names_shapes_and_type_are_the_canonical_ones(cell: str) -> None:
    model = replace(DEEP, body=Recurrent(cell, 5, 3))
    found = weights(model, dtype="float32")
    assert {name: array.shape for name, array in found.items()} == parameter_shapes(model)
    assert {array.dtype for array in found.values()} == {np.dtype("float32")}


def test_both_precisions_start_from_the_same_draw() -> None:
    single, double = weights(DEEP, dtype="float32"), weights(DEEP)
    for name in double:
        np.testing.assert_array_equal(single[name], double[name].astype(np.float32))


def test_a_parameter_does_not_depend_on_the_layers_around_it() -> None:
    """Equal seeds give layer 0 the same weights whatever stands above it, below it or beside it."""
    base = weights(DEEP)
    for other in (
        replace(DEEP, body=Recurrent("lstm", 12, 1, bidirectional=False)),
        replace(DEEP, body=Recurrent("lstm", 12, 4, bidirectional=True), head=Rbf(9)),
        replace(DEEP, readout="mean", loss="squared", input=Features(8)),
    ):
        for name, array in weights(other).items():
            if name.startswith("rnn.l0.fwd."):
                np.testing.assert_array_equal(array, base[name], err_msg=name)


def test_no_two_parameters_share_their_numbers() -> None:
    drawn = [array.ravel()[:8] for array in weights(DEEP).values() if len(np.unique(array)) > 2]
    assert len(drawn) > 8
    assert len({tuple(part) for part in drawn}) == len(drawn)


@given(seed=st.integers(0, 2**63))
def test_seeds_decide_everything(seed: int) -> None:
    model = ModelSpec(Features(2), Recurrent("gru", 3), Dense(2), "cross_entropy")
    one, again, other = weights(model, seed), weights(model, seed), weights(model, seed + 1)
    for name, array in one.items():
        np.testing.assert_array_equal(array, again[name])
        if not name.startswith(("out.b", "rnn.l0.fwd.b")):
            assert not np.array_equal(array, other[name])


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@pytest.mark.parametrize("hidden", [1, 2, 17])
def test_recurrent_matrices_are_orthogonal_gate_by_gate(cell: str, hidden: int) -> None:
    model = ModelSpec(Features(2), Recurrent(cell, hidden), Dense(2), "cross_entropy")
    gates = np.split(weights(model)["rnn.l0.fwd.Wh"], GATES[cell], axis=1)
    for gate in gates:
        np.testing.assert_allclose(gate.T @ gate, np.eye(hidden), atol=1e-13)
    if hidden > 1:
        assert all(not np.allclose(gates[0], gate) for gate in gates[1:])


def test_orthogonal_matrices_are_spread_over_the_whole_group() -> None:
    """Without the sign correction QR would give a biased sample: its diagonal would lean to one side."""
    model = ModelSpec(Features(1), Recurrent("rnn", 3), Dense(1), "squared")
    traces = [float(np.trace(weights(model, seed)["rnn.l0.fwd.Wh"])) for seed in range(400)]
    assert abs(np.mean(traces)) < 4 / np.sqrt(400)  # a Haar matrix has trace of mean 0 and variance 1


def test_input_matrices_are_uniform_within_glorots_bound_gate_by_gate() -> None:
    """The bound takes the fan-out of one gate, not of the four side by side."""
    model = ModelSpec(Features(40), Recurrent("lstm", 60), Dense(10), "cross_entropy")
    found = weights(model)
    for name, inputs, outputs in (("rnn.l0.fwd.Wx", 40, 60), ("out.W", 60, 10)):
        bound = np.sqrt(6 / (inputs + outputs))
        largest = float(np.abs(found[name]).max())
        assert 0.98 * bound < largest <= bound
        assert float(found[name].std()) == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_convolution_kernels_count_the_kernel_into_the_fans() -> None:
    model = ModelSpec(
        Features(28), Convolutional(28, 28, channels=(16, 32), kernel=5), Dense(10), "cross_entropy"
    )
    found = weights(model)
    bound = np.sqrt(6 / (25 * (16 + 32)))
    assert 0.98 * bound < float(np.abs(found["cnn.c1.W"]).max()) <= bound
    assert not any(found[name].any() for name in ("cnn.c0.b", "cnn.c1.b", "cnn.dense.b", "out.b"))


def test_only_the_lstm_forget_gate_has_a_bias() -> None:
    for cell in BUILTIN_CELLS:
        model = ModelSpec(Features(3), Recurrent(cell, 4, 2, bidirectional=True), Dense(2), "cross_entropy")
        for name, array in weights(model).items():
            if array.ndim > 1:
                continue
            expected = np.zeros_like(array)
            if cell == "lstm" and name.startswith("rnn."):
                expected[4:8] = 1
            np.testing.assert_array_equal(array, expected, err_msg=name)


def test_embeddings_and_centres_have_their_published_spread() -> None:
    model = ModelSpec(Tokens(400, 30), Recurrent("gru", 100), Rbf(60), "cross_entropy")
    found = weights(model)
    assert float(found["embed.E"].std()) == pytest.approx(0.1, rel=0.05)
    assert float(found["rbf.W"].std()) == pytest.approx(0.1, rel=0.05)


@given(seed=st.integers(0, 2**63), names=st.lists(st.text(max_size=8), min_size=2, max_size=2, unique=True))
def test_streams_are_named(seed: int, names: list[str]) -> None:
    first, second = names
    draw = stream(seed, first).normal(size=4)
    np.testing.assert_array_equal(draw, stream(seed, first).normal(size=4))
    assert not np.array_equal(draw, stream(seed, second).normal(size=4))
