"""What steps and entries are weighed with gives the reference's readouts and losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch, loss_weights, readout_weights, valid_mask
from benchsuite.errors import ContractError
from benchsuite.schema import Decoder, Dense, Features, ModelSpec, Recurrent
from benchsuite_numpy.reference.heads import loss, read

MODEL = ModelSpec(Features(2), Recurrent("rnn", 3), Dense(4), "cross_entropy")
LENGTHS = np.array([3, 1, 5], np.int32)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 3))
def test_the_mask_is_true_before_each_length(lengths: list[int], more: int) -> None:
    mask = valid_mask(np.array(lengths, np.int32), max(lengths) + more)
    assert mask.sum(axis=1).tolist() == lengths
    assert not np.any(mask[:, 1:] & ~mask[:, :-1])


@pytest.mark.parametrize("readout", ["last", "mean"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_weighted_sums_are_the_references_readouts(readout: str, bidirectional: bool) -> None:
    model = replace(MODEL, readout=readout)  # type: ignore[arg-type]
    y = np.random.default_rng(0).normal(size=(3, 5, 6 if bidirectional else 3))
    y *= valid_mask(LENGTHS, 5)[..., None]
    forward = readout_weights(readout, LENGTHS, 5, "float64")
    backward = readout_weights(readout, LENGTHS, 5, "float64", reverse=True)
    weights = [forward, backward][: 2 if bidirectional else 1]
    parts = np.split(y, len(weights), axis=2)
    found = np.concatenate([(w[..., None] * part).sum(1) for w, part in zip(weights, parts, strict=True)], 1)
    np.testing.assert_allclose(found, read(model, y, LENGTHS, 3), rtol=1e-14)


@pytest.mark.parametrize("name", ["cross_entropy", "squared"])
@pytest.mark.parametrize("readout", ["last", "steps"])
def test_a_weighted_sum_of_entries_is_the_references_loss(name: str, readout: str) -> None:
    model = replace(MODEL, loss=name, readout=readout)  # type: ignore[arg-type]
    random = np.random.default_rng(1)
    shape = (3, 5) if readout == "steps" else (3,)
    scores = random.normal(size=(*shape, 4))
    classes = random.integers(0, 4, shape).astype(np.int32)
    targets = classes if name == "cross_entropy" else random.normal(size=scores.shape)
    batch = Batch(np.zeros((3, 5, 2)), LENGTHS, targets)
    log_p = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    entries = (
        -np.take_along_axis(log_p, classes[..., None], -1)
        if name == "cross_entropy"
        else (scores - targets) ** 2
    )
    valid = valid_mask(LENGTHS, 5) if readout == "steps" else np.ones(3, bool)
    weights = loss_weights(model, batch, "float64")
    assert weights.shape == (*shape, 1)
    assert (weights * entries).sum() == pytest.approx(loss(model, scores, targets, valid)[0], rel=1e-14)


def test_a_decoders_entries_are_its_target_tokens() -> None:
    decoder = Decoder(4, 2, Recurrent("rnn", 3), "none", 6)
    batch = Batch(np.zeros((2, 5, 2)), LENGTHS[:2], np.zeros((2, 3), np.int32), np.array([3, 1], np.int32))
    weights = loss_weights(replace(MODEL, decoder=decoder), batch, "float32")
    np.testing.assert_allclose(weights[..., 0], [[0.25, 0.25, 0.25], [0.25, 0, 0]])


def test_what_has_no_weights_is_refused() -> None:
    with pytest.raises(ContractError, match="unknown readout that weighs steps 'steps'"):
        readout_weights("steps", LENGTHS, 5, "float64")
    ctc = replace(MODEL, loss="ctc", readout="steps")
    with pytest.raises(ContractError, match="'ctc' is no sum over entries"):
        loss_weights(ctc, Batch(np.zeros((3, 5, 2)), LENGTHS), "float64")
