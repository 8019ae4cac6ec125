"""From the body's output to scores and loss. Shapes: features (..., F), scores (..., O)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import LOSSES, ModelSpec, Rbf
from benchsuite_tensorflow.cells import Tensor

REALS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "binary_cross_entropy": lambda found, targets: tf.nn.sigmoid_cross_entropy_with_logits(targets, found),
    "squared": lambda found, targets: (found - targets) * (found - targets),
    "absolute": lambda found, targets: tf.abs(found - targets),
}
"""Losses whose targets are reals, by output. The slope of tf.abs at 0 is 0, the canonical subgradient."""


def scores(model: ModelSpec, weights: Mapping[str, Tensor], features: Tensor) -> Tensor:
    """x W + b; or sum_i (x_i - W_ij)^2, negated unless under a regression loss (LeCun et al. 1998, eq. 7).

    The squares are summed without expanding them, which would lose half the digits near a centre.
    """
    if isinstance(model.head, Rbf):
        distance = tf.reduce_sum((features[..., None] - weights["rbf.W"]) ** 2, -2)
        return distance if model.loss in ("squared", "absolute") else -distance
    if model.head.tied:
        matrix = tf.transpose(weights["embed.E"])
        return tf.tensordot(features, matrix, 1) + weights["out.b"]
    if features.shape.rank == 2:
        return tf.nn.bias_add(features @ weights["out.W"], weights["out.b"])
    return tf.tensordot(features, weights["out.W"], 1) + weights["out.b"]


def loss(
    model: ModelSpec, found: Tensor, targets: Tensor, valid: Tensor | None, smoothing: float = 0.0
) -> Tensor:
    """The sum over valid entries over their count; `valid` is a mask shaped like the scores without O, or
    None where every entry counts. CTC's is in ctc.py.

    :param smoothing: under cross-entropy, the share of a target that is spread over all classes.
    """
    if model.loss == "cross_entropy" and smoothing:
        classes = model.head.outputs
        spread = smoothing / classes
        wanted = tf.one_hot(targets, classes, 1 - smoothing + spread, spread, dtype=found.dtype)
        terms = tf.nn.softmax_cross_entropy_with_logits(wanted, found)
        entries = 1
    elif model.loss == "cross_entropy":
        terms = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, found)
        entries = 1
    elif model.loss in REALS:
        terms = tf.reduce_sum(REALS[model.loss](found, targets), -1)
        entries = model.head.outputs
    else:
        raise ContractError(unknown_name("loss", model.loss, LOSSES))
    if valid is None:
        return tf.reduce_sum(terms) / tf.cast(tf.size(terms) * entries, terms.dtype)
    count = tf.reduce_sum(tf.cast(valid, terms.dtype)) * entries
    return tf.reduce_sum(tf.where(valid, terms, tf.zeros_like(terms))) / count
