"""Predictions come back in the split's own order, whatever order they were made in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from fixtures.tiny import program, sign_batcher, sign_data, sign_model

from benchsuite.contracts import Batch, Ragged, Split
from benchsuite.measure.batching import batcher
from benchsuite.measure.training import Evaluator, predictions
from benchsuite.schema import Recipe


def alone(split: Split, row: int) -> Batch:
    """One row, unpadded."""
    sequence = split.inputs[row][None]
    return Batch(sequence, np.array([sequence.shape[1]], np.int32), np.zeros(1, np.int32))


def test_every_row_is_predicted_as_if_it_were_alone() -> None:
    data, net = sign_data(), program(sign_model(), Recipe())
    found = predictions(net, sign_batcher(data, rows=5), data.test)
    assert found.shape == (len(data.test), 2)
    for row in range(len(data.test)):
        np.testing.assert_allclose(found[row], net.predict(alone(data.test, row))[0][0], rtol=1e-12)


def test_predictions_by_step_are_zero_beyond_each_row() -> None:
    data = sign_data()
    lengths = data.test.inputs.lengths
    by_step = Ragged.from_sequences([np.zeros(length, np.int32) for length in lengths])
    split = Split(data.test.inputs, by_step)
    net = program(replace(sign_model(), readout="steps"), Recipe())
    cut = batcher(split, [], 5, "float64")
    found = predictions(net, cut, split)
    assert found.shape == (len(split), int(lengths.max()), 2)
    for row, length in enumerate(lengths):
        expected = net.predict(replace(alone(split, row), targets=np.zeros((1, length), np.int32)))[0][0]
        np.testing.assert_allclose(found[row, :length], expected, rtol=1e-12)
        assert not found[row, length:].any()


def test_the_tasks_metrics_are_those_of_all_rows() -> None:
    data, net = sign_data(), program(sign_model(), Recipe())
    cut = sign_batcher(data, rows=7)
    found = Evaluator(cut, data, sign_model(), Recipe()).metrics(net, data.test)
    assert found == data.score(predictions(net, cut, data.test), data.test)


def test_predictions_that_are_not_finite_are_not_scored() -> None:
    data, net = sign_data(), program(sign_model(), Recipe())
    weights = net.parameters()
    weights["out.b"][0] = np.inf
    net.load_parameters(weights)
    evaluator = Evaluator(sign_batcher(data), data, sign_model(), Recipe())
    found = evaluator.metrics(net, data.test)
    assert list(found) == ["accuracy"]
    assert np.isnan(found["accuracy"])
