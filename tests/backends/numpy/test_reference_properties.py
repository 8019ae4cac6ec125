"""What must hold of the reference for any lengths: padding, companions and direction do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.numpy_cases import ARCHITECTURES, batch, model, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Gradients
from benchsuite.contracts.backend import Parameters
from benchsuite.schema import BUILTIN_CELLS, Execution, ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceBackend

LENGTHS = st.lists(st.integers(1, 6), min_size=2, max_size=4)
READOUTS = st.sampled_from(["last", "mean", "steps"])


def run(spec: ModelSpec, data: Batch, weights: Parameters | None = None) -> Gradients:
    program = ReferenceBackend().build(
        spec, weights or parameters(spec), Recipe(), Execution(precision="float64")
    )
    return program.gradients(data)


def assert_same(a: Parameters, b: Parameters) -> None:
    for name, value in a.items():
        np.testing.assert_allclose(value, b[name], rtol=1e-11, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    lengths=LENGTHS, extra=st.integers(1, 4), readout=READOUTS, inputs=st.sampled_from(["features", "tokens"])
)
def test_padding_does_not_matter(
    cell: str, architecture: str, lengths: list[int], extra: int, readout: str, inputs: str
) -> None:
    spec = model(cell, architecture, readout=readout, inputs=inputs)
    short = batch(spec, lengths)
    rubbish = np.random.default_rng(0)

    def padded(array: np.ndarray, fill: bool) -> np.ndarray:
        widths = [(0, 0), (0, extra)] + [(0, 0)] * (array.ndim - 2)
        wide = np.pad(array, widths)
        beyond = np.arange(wide.shape[1]) >= np.array(lengths)[:, None]
        if fill:
            wide[beyond] = rubbish.integers(1, 3, wide[beyond].shape)
        return wide

    targets = padded(short.targets, True) if readout == "steps" else short.targets
    a, b = run(spec, short), run(spec, Batch(padded(short.inputs, True), short.lengths, targets))
    assert a.loss == pytest.approx(b.loss, rel=1e-13)
    assert_same(a.parameters, b.parameters)
    assert_same({name: padded(value, False) for name, value in a.states.items()}, b.states)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=6, deadline=None, derandomize=True)
@given(lengths=LENGTHS, readout=READOUTS)
def test_companions_do_not_matter(cell: str, architecture: str, lengths: list[int], readout: str) -> None:
    """The loss of a batch is the weighted mean of its rows' losses, each row taken alone and unpadded."""
    spec = model(cell, architecture, readout=readout)
    data = batch(spec, lengths)
    together = run(spec, data)
    weights = np.array(lengths, float) if readout == "steps" else np.ones(len(lengths))
    weights /= weights.sum()
    alone = []
    for row, length in enumerate(lengths):
        targets = data.targets[row : row + 1]
        one = Batch(
            data.inputs[row : row + 1, :length],
            data.lengths[row : row + 1],
            targets[:, :length] if readout == "steps" else targets,
        )
        alone.append(run(spec, one))
        predicted = together.predictions[row : row + 1]
        np.testing.assert_allclose(
            alone[-1].predictions, predicted[:, :length] if readout == "steps" else predicted, rtol=1e-12
        )
    assert together.loss == pytest.approx(sum(w * one.loss for w, one in zip(weights, alone, strict=True)))
    summed = {
        name: sum(w * one.parameters[name] for w, one in zip(weights, alone, strict=True))
        for name in together.parameters
    }
    assert_same(together.parameters, summed)


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=10, deadline=None, derandomize=True)
@given(lengths=LENGTHS)
def test_reversed_rows_swap_the_directions(cell: str, lengths: list[int]) -> None:
    """Reverse every row within its own length and exchange the two directions' weights: the loss stays."""
    spec = model(cell, "bidirectional", hidden=3)
    data, weights = batch(spec, lengths), parameters(spec)
    turned = data.inputs.copy()
    for row, length in enumerate(lengths):
        turned[row, :length] = data.inputs[row, :length][::-1]

    swapped = {_exchange(name): value for name, value in weights.items()}
    swapped["out.W"] = np.concatenate([weights["out.W"][3:], weights["out.W"][:3]])
    a, b = run(spec, data, weights), run(spec, Batch(turned, data.lengths, data.targets), swapped)
    assert a.loss == pytest.approx(b.loss, rel=1e-13)
    recurrent = {name: value for name, value in a.parameters.items() if name.startswith("rnn.")}
    assert_same(recurrent, {name: b.parameters[_exchange(name)] for name in recurrent})


def _exchange(name: str) -> str:
    """The same parameter of the other direction."""
    if ".fwd." in name:
        return name.replace(".fwd.", ".bwd.")
    return name.replace(".bwd.", ".fwd.")
