"""CTC in TensorFlow: its digits, and why it is not TensorFlow's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from benchsuite.measure.parity import relative_error
from benchsuite_numpy.reference.ctc import ctc as reference
from benchsuite_tensorflow import ctc
from benchsuite_tensorflow.loops import LOOPS


def ctc_batch(time: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores (T, B, C), lengths, labels (U, B) with repeats among them, and their lengths."""
    random = np.random.default_rng(seed)
    scores = 2 * random.normal(size=(time, 4, 7))
    lengths = np.array([time, time - 3, time // 2, 9], np.int32)
    written = np.array([5, 1, 4, 4], np.int32)
    labels = random.integers(1, 7, (4, 5)) * (np.arange(5) < written[:, None])
    labels[3, :4] = 3  # four times the same: seven steps at the least
    return scores, lengths, labels.T.astype(np.int32), written


def ctc_slopes(scores: np.ndarray, lengths: np.ndarray, labels: np.ndarray, written: np.ndarray) -> Any:
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run() -> tuple[tf.Tensor, tf.Tensor]:
        given = tf.constant(scores)
        with tf.GradientTape() as tape:
            tape.watch(given)
            losses = ctc.row_losses(LOOPS["dynamic"], given, *map(tf.constant, (lengths, labels, written)))
        return losses, tape.gradient(losses, given)

    losses, slopes = run()
    return losses.numpy(), slopes.numpy()


def test_ctc_keeps_its_digits_over_long_inputs() -> None:
    """Logarithms of paths summed in single precision leave four digits of the gradient at 300 steps."""
    scores, *rest = ctc_batch(300)
    scores = scores.astype(np.float32)
    losses, slopes = ctc_slopes(scores, *rest)
    exact_losses, exact = ctc_slopes(scores.astype(np.float64), *rest)
    assert relative_error(losses, exact_losses) < 1e-6
    assert relative_error(slopes, exact) < 2e-6


def test_tensorflows_own_ctc_is_beyond_parity() -> None:
    """Why ctc.py is written out. In double the op is off in the tenth digit; single precision is all that
    tf.nn.ctc_loss takes."""
    scores, lengths, labels, written = ctc_batch(40)
    where = np.argwhere(np.arange(5) < written[:, None])
    losses, _ = tf.raw_ops.CTCLoss(
        inputs=np.concatenate([scores[..., 1:], scores[..., :1]], -1),
        labels_indices=where,
        labels_values=labels.T[tuple(where.T)] - 1,
        sequence_length=lengths,
    )
    found, _ = ctc_slopes(scores, lengths, labels, written)
    assert 1e-12 < relative_error(losses.numpy(), found) < 1e-6
    with pytest.raises((TypeError, tf.errors.InvalidArgumentError), match=r"float|double"):
        tf.nn.ctc_loss(labels.T, tf.constant(scores), written, lengths, blank_index=0)


def test_labels_without_a_path_cost_infinity() -> None:
    """Four equal labels need three blanks between them: six steps are one too few."""
    scores, lengths, labels, written = ctc_batch(20)
    lengths[3] = 6
    losses, slopes = ctc_slopes(scores, lengths, labels, written)
    assert losses[3] == np.inf
    assert np.all(np.isfinite(losses[:3]))
    assert np.all(np.isnan(slopes[:6, 3]))
    assert np.all(slopes[6:, 3] == 0)
    assert np.all(np.isfinite(slopes[:, :3]))


@pytest.mark.parametrize("spread", [1.0, 0.0], ids=["drawn", "all scores tie"])
def test_loss_and_gradient_are_the_references(spread: float) -> None:
    scores, lengths, labels, counts = ctc_batch(20)
    losses, grads = ctc_slopes(spread * scores, lengths, labels, counts)
    loss, expected = reference(spread * scores.swapaxes(0, 1), lengths, labels.T, counts)
    np.testing.assert_allclose(losses.mean(), loss, rtol=1e-13)
    np.testing.assert_allclose(grads.swapaxes(0, 1) / len(lengths), expected, atol=1e-13)
