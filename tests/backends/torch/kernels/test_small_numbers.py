"""Inputs, weights and states near zero: every loop keeps its digits there, forwards and backwards.

A formula that subtracts two nearly equal numbers passes at inputs of size one and fails here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.kit import SUPPORTED

from benchsuite.contracts import Batch, Gradients, Parameters
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.parity import compare, in_double, relative_error
from benchsuite.schema import Decoder, Dense, Execution, Features, ModelSpec, Recipe, Recurrent
from benchsuite.schema.model import AttentionKind
from benchsuite.schema.thresholds import TOLERANCES
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.kernels import tanh

UNROLLS = sorted(SUPPORTED["torch"])
"""Those that run the built-in cells."""

CELLS = ("rnn", "lstm", "gru")
SCALES = (1.0, 1e-2, 1e-4, 1e-6)
PRECISIONS = ("float32", "float64")
ROWS, STEPS, WIDTH = 6, 9, 4


@pytest.fixture(params=["expm1", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to tanh, whatever this processor and these sizes would choose."""
    chosen = tanh.BY_EXPM1 if request.param == "expm1" else tanh.PLAIN
    for module in ("recurrent_loop", "attention_loop"):
        monkeypatch.setattr(f"benchsuite_torch.kernels.{module}.chosen_tanh", lambda *_: chosen)
    name: str = request.param
    return name


def batch(precision: str, scale: float) -> Batch:
    """Ragged rows of inputs as large as `scale`."""
    generator = np.random.default_rng(5)
    inputs = (scale * generator.normal(size=(ROWS, STEPS, WIDTH))).astype(precision)
    lengths = np.array([9, 3, 1, 9, 6, 8], np.int32)
    return Batch(inputs, lengths, generator.integers(0, 3, ROWS).astype(np.int32))


def both(
    model: ModelSpec, weights: Parameters, data: Batch, unroll: str, precision: str
) -> tuple[Gradients, Gradients]:
    """What torch finds, and what the float64 reference finds."""
    execution = Execution.model_validate({"unroll": unroll, "precision": precision})
    program = TorchBackend().build(model, weights, Recipe(), execution)
    double = {name: array.astype(np.float64) for name, array in weights.items()}
    reference = ReferenceBackend().build(
        model, double, Recipe(), Execution.model_validate({"precision": "float64"})
    )
    found = program.gradients(program.place(data))
    return found, reference.gradients(reference.place(in_double(data)))


def check(model: ModelSpec, weights: Parameters, data: Batch, unroll: str, precision: str) -> None:
    found, expected = both(model, weights, data, unroll, precision)
    compared = compare(found, expected, precision)
    assert compared.ok, compared.sentence()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("cell", CELLS)
def test_small_inputs(cell: str, unroll: str, precision: str, scale: float) -> None:
    """Scores without a bias are as small as the inputs: their error is compared with nothing larger."""
    model = ModelSpec(Features(WIDTH), Recurrent(cell, 8, 2, bidirectional=True), Dense(3), "cross_entropy")
    weights = initial_parameters(model, 0, precision)
    check(model, weights, batch(precision, scale), unroll, precision)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("cell", CELLS)
def test_small_weights(cell: str, unroll: str, precision: str) -> None:
    model = ModelSpec(Features(WIDTH), Recurrent(cell, 8), Dense(3), "cross_entropy", "mean")
    weights = {name: 1e-3 * array for name, array in initial_parameters(model, 0, precision).items()}
    check(model, weights, batch(precision, 1.0), unroll, precision)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("cell", CELLS)
def test_deep_stacks(cell: str, unroll: str, precision: str) -> None:
    """Every layer of an untrained stack hands on smaller states than it was given."""
    model = ModelSpec(Features(WIDTH), Recurrent(cell, 16, 10), Dense(3), "cross_entropy")
    weights = initial_parameters(model, 0, precision)
    check(model, weights, batch(precision, 1.0), unroll, precision)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("cell", CELLS)
def test_a_single_small_row_keeps_its_digits(cell: str) -> None:
    """Parity compares with the largest number of an array. A row of small numbers beside a row of large ones
    has to be right by itself."""
    model = ModelSpec(Features(WIDTH), Recurrent(cell, 8), Dense(3), "cross_entropy")
    weights = initial_parameters(model, 0, "float32") | {"out.b": np.zeros(3, np.float32)}
    data = batch("float32", 1.0)
    data.inputs[0] *= 1e-5
    found, expected = both(model, weights, data, "dynamic", "float32")
    assert relative_error(found.predictions[0], expected.predictions[0]) < TOLERANCES["float32"].forward


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
def test_decoders(attention: AttentionKind, unroll: str, precision: str, scale: float) -> None:
    """Weights and inputs shrink together, and with them queries, keys and what is attended to."""
    decoder = Decoder(5, 3, Recurrent("lstm", 8), attention, limit=4, start=1, end=2)
    body = Recurrent("gru", 8)
    model = ModelSpec(Features(WIDTH), body, Dense(5), "cross_entropy", "last", decoder=decoder)
    weights = {name: max(scale, 1e-2) * a for name, a in initial_parameters(model, 0, precision).items()}
    data = batch(precision, scale)
    generator = np.random.default_rng(6)
    lengths = np.array([4, 1, 2, 4, 3, 4], np.int32)
    targets = generator.integers(1, 5, (ROWS, 4)).astype(np.int32)
    check(model, weights, replace(data, targets=targets, target_lengths=lengths), unroll, precision)
