"""Losses and clipping at kinks, ties and near cancellation, compared with the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchsuite.schema.model import Loss

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

from benchsuite.errors import ContractError  # noqa: E402
from benchsuite.schema import LOSSES, Dense, Features, ModelSpec, Recipe, Recurrent  # noqa: E402
from benchsuite_jax import heads, optimisers  # noqa: E402
from benchsuite_jax.attention import make_memory, masked_softmax  # noqa: E402
from benchsuite_jax.generic import NamedCell  # noqa: E402
from benchsuite_jax.placement import Feed  # noqa: E402
from benchsuite_numpy.reference import heads as reference  # noqa: E402
from benchsuite_numpy.reference import optimisers as reference_optimisers  # noqa: E402

pytestmark = pytest.mark.usefixtures("double_precision")

MODEL = ModelSpec(Features(3), Recurrent("rnn", 4), Dense(3), "absolute")


def loss_and_slopes(loss: Loss, scores: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    model = replace(MODEL, loss=loss)
    feed = Feed(jnp.zeros((1, len(scores), 3)), None, jnp.asarray(targets))
    found, slopes = jax.value_and_grad(lambda out: heads.mean_loss(model, out, feed, None))(
        jnp.asarray(scores)
    )
    return float(found), np.asarray(slopes)


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
    assert float(jax.grad(jnp.abs)(0.0)) == 1, "the trap: jax's own slope"
    _, slopes = loss_and_slopes("absolute", np.zeros((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(slopes, np.zeros((2, 3)))


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e3])
def test_cross_entropy_does_not_depend_on_an_offset_of_all_scores(offset: float) -> None:
    scores = np.array([[4, -3, 1], [0.5, 2, -8]], np.float32)
    targets = np.array([0, 1], np.int32)
    found, _ = loss_and_slopes("cross_entropy", scores + np.float32(offset), targets)
    wanted, _ = expected("cross_entropy", scores, targets)
    np.testing.assert_allclose(found, wanted, rtol=2e-6)


def test_binary_cross_entropy_keeps_its_digits_where_the_answer_is_certain() -> None:
    scores = np.array([[9, -9, 12], [-15, 15, 0]], np.float32)
    targets = (scores > 0).astype(np.float32)
    found, slopes = loss_and_slopes("binary_cross_entropy", scores[:, :2], targets[:, :2])
    exact = np.log1p(np.exp(-np.abs(scores[:, :2].astype(np.float64))))
    np.testing.assert_allclose(found, exact.mean(), rtol=1e-6)
    signs = np.where(targets[:, :2] == 1, -1, 1)
    np.testing.assert_allclose(slopes, signs * -np.expm1(-exact) / 4, rtol=1e-6)


@pytest.mark.parametrize("clip", ["none", "norm", "value"])
@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0])
def test_clipping_at_its_bound(clip: str, scale: float) -> None:
    """A global norm of exactly clip_at, entries of exactly clip_at, and gradients of zero."""
    gradients = {"a": np.array([3.0, -4.0]) * scale, "b": np.array([0.0, 5.0, -5.0]) * scale}
    for clip_at in (5.0, float(np.sqrt(75)), 4.0):
        recipe = Recipe.model_validate({"clip": clip, "clip_at": clip_at})
        found, measured = optimisers.clip(recipe, {k: jnp.asarray(g) for k, g in gradients.items()})
        wanted = reference_optimisers.clip(recipe, gradients)
        for name, gradient in wanted.items():
            np.testing.assert_allclose(found[name], gradient, rtol=1e-15)
        assert (measured is None) == (clip == "none")


def test_attention_of_equal_scores_is_shared_by_the_valid_steps() -> None:
    valid = jnp.array([[True, True, False], [True, False, False]])
    found = masked_softmax(jnp.zeros((2, 3)), valid)
    np.testing.assert_array_equal(found, [[0.5, 0.5, 0], [1, 0, 0]])
    slopes = jax.grad(lambda scores: masked_softmax(scores, valid)[0, 0])(jnp.zeros((2, 3)))
    np.testing.assert_allclose(slopes, np.array([[0.25, -0.25, 0], [0, 0, 0]]))


def test_names_that_nobody_knows_are_refused() -> None:
    """Schemas refuse them where they are made; no dispatch takes one for its last name."""
    misspelt = object.__new__(ModelSpec)
    for name, value in vars(MODEL).items():
        object.__setattr__(misspelt, name, value)
    object.__setattr__(misspelt, "loss", "mse")
    feed = Feed(jnp.zeros((1, 2, 3)), None, jnp.zeros((2, 3)))
    with pytest.raises(ContractError, match=r"unknown loss 'mse'.*absolute, binary_cross_entropy"):
        heads.mean_loss(misspelt, jnp.zeros((2, 3)), feed, None)
    with pytest.raises(ContractError, match=r"unknown cell 'mgu'.*lstm"):
        NamedCell("mgu").initial_state(2, 3, np.dtype("float64"))
    with pytest.raises(ContractError, match=r"unknown attention 'dot'.*additive, multiplicative, none"):
        make_memory("dot", {}, jnp.zeros((2, 1, 3)), None)
    recipe = Recipe.model_construct(optimiser="nadam", clip="global", clip_at=1.0)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match=r"unknown clip 'global'.*none, norm, value"):
        optimisers.clip(recipe, {"a": jnp.zeros(2)})
    with pytest.raises(ContractError, match=r"unknown optimiser 'nadam'.*adam, momentum, rmsprop, sgd"):
        optimisers.initial_moments(recipe, {"a": jnp.zeros(2)})
