"""Losses and clipping at kinks, ties and near cancellation, compared with the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from benchsuite.errors import ContractError
from benchsuite.schema import LOSSES, Dense, Features, ModelSpec, Recipe, Recurrent
from benchsuite.schema.model import Loss
from benchsuite_numpy.reference import heads as reference
from benchsuite_numpy.reference import optimisers as reference_optimisers
from benchsuite_tensorflow import heads, optimisers
from benchsuite_tensorflow.attention import make_memory, masked_softmax
from benchsuite_tensorflow.cells import cell_of
from benchsuite_tensorflow.loops import loop_of

MODEL = ModelSpec(Features(3), Recurrent("rnn", 4), Dense(3), "absolute")


def loss_and_slopes(loss: Loss, scores: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    given = tf.constant(scores)
    with tf.GradientTape() as tape:
        tape.watch(given)
        found = heads.loss(replace(MODEL, loss=loss), given, tf.constant(targets), None)
    return float(found), tape.gradient(found, given).numpy()


def expected(loss: Loss, scores: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    valid = np.ones(len(scores), bool)
    found, slopes = reference.loss(replace(MODEL, loss=loss), scores.astype(np.float64), targets, valid)
    return float(found), slopes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "ctc"])
def test_losses_at_zero_and_at_ties(loss: Loss, dtype: str) -> None:
    """Scores that equal their targets, zeros of either sign, and classes that tie for the largest score."""
    scores = np.array([[0, 0, 0], [-0.0, 1, 1], [2, 2, -1], [0.5, -0.5, 0]], dtype)
    targets = np.array([0, 2, 1, 0], np.int32) if loss == "cross_entropy" else np.clip(scores, 0, 1)
    found, slopes = loss_and_slopes(loss, scores, targets)
    wanted, wanted_slopes = expected(loss, scores, targets)
    tolerance = 1e-15 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(found, wanted, rtol=tolerance)
    np.testing.assert_allclose(slopes, wanted_slopes, rtol=0, atol=tolerance)


def test_the_slope_of_the_absolute_error_at_zero_is_zero() -> None:
    _, slopes = loss_and_slopes("absolute", np.zeros((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(slopes, np.zeros((2, 3)))


@pytest.mark.parametrize("clip", ["none", "norm", "value"])
@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0])
def test_clipping_at_its_bound(clip: str, scale: float) -> None:
    """A global norm of exactly clip_at, entries of exactly clip_at, and gradients of zero."""
    gradients = {"a": np.array([3.0, -4.0]) * scale, "b": np.array([0.0, 5.0, -5.0]) * scale}
    for clip_at in (5.0, float(np.sqrt(75)), 4.0):
        recipe = Recipe.model_validate({"clip": clip, "clip_at": clip_at})
        found, measured = optimisers.clip(recipe, [tf.constant(g) for g in gradients.values()])
        wanted = reference_optimisers.clip(recipe, gradients)
        for ours, gradient in zip(found, wanted.values(), strict=True):
            np.testing.assert_allclose(ours.numpy(), gradient, rtol=1e-15)
        assert np.isnan(measured.numpy()) == (clip == "none")


def test_attention_of_equal_scores_is_shared_by_the_valid_steps() -> None:
    valid = tf.constant([[True, True, False], [True, False, False]])
    scores = tf.zeros((2, 3), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        found = masked_softmax(scores, valid)
        first = found[0, 0]
    np.testing.assert_array_equal(found.numpy(), [[0.5, 0.5, 0], [1, 0, 0]])
    np.testing.assert_allclose(tape.gradient(first, scores).numpy(), np.array([[0.25, -0.25, 0], [0, 0, 0]]))


def test_names_that_nobody_knows_are_refused() -> None:
    """Schemas refuse them where they are made; no dispatch takes one for its last name."""
    misspelt = object.__new__(ModelSpec)
    for name, value in vars(MODEL).items():
        object.__setattr__(misspelt, name, value)
    object.__setattr__(misspelt, "loss", "mse")
    with pytest.raises(ContractError, match=r"unknown loss 'mse'.*absolute, binary_cross_entropy"):
        heads.loss(misspelt, tf.zeros((2, 3)), tf.zeros((2, 3)), None)
    with pytest.raises(ContractError, match=r"unknown cell 'mgu'.*lstm"):
        cell_of("mgu")
    with pytest.raises(ContractError, match=r"unknown unroll 'autograd'.*dynamic, fused, scan, static"):
        loop_of("autograd")
    with pytest.raises(ContractError, match=r"unknown attention 'dot'.*additive, multiplicative, none"):
        make_memory("dot", {}, tf.zeros((2, 1, 3)), tf.constant([2]))
    recipe = Recipe.model_construct(optimiser="nadam", clip="global", clip_at=1.0)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match=r"unknown clip 'global'.*none, norm, value"):
        optimisers.clip(recipe, [tf.zeros(2)])
    with pytest.raises(ContractError, match=r"unknown optimiser 'nadam'.*adam, momentum, rmsprop, sgd"):
        optimisers.Optimiser(recipe, [tf.Variable(tf.zeros(2))])
