"""Clipping, weight decay and the canonical update rules, as tf operations.

Keras' optimisers compute other formulas (Adam's epsilon inside the bias correction, RMSprop's inside the
root, momentum that scales by the learning rate first), and clip embeddings by the norm of their slices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import CLIPS, OPTIMISERS, Recipe, is_scheduled, learning_rates
from benchsuite_tensorflow.cells import Tensor


def clip(recipe: Recipe, gradients: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
    """Clipped gradients and what was measured before: the global norm (clip "norm": g c / max(|g|, c),
    Pascanu et al. 2013), the largest absolute entry (clip "value"), or NaN."""
    dtype = gradients[0].dtype
    if recipe.clip == "norm":
        norm = tf.sqrt(tf.add_n([2 * tf.nn.l2_loss(g) for g in gradients]))
        scale = recipe.clip_at / tf.maximum(norm, tf.constant(recipe.clip_at, dtype))
        return [g * scale for g in gradients], norm
    if recipe.clip == "value":
        peak = tf.reduce_max(tf.stack([tf.reduce_max(tf.abs(g)) for g in gradients]))
        return [tf.clip_by_value(g, -recipe.clip_at, recipe.clip_at) for g in gradients], peak
    if recipe.clip == "none":
        return list(gradients), tf.constant(math.nan, dtype)
    raise ContractError(unknown_name("clip", recipe.clip, CLIPS))


class Optimiser:
    """sgd, momentum, RMSProp (Tieleman and Hinton 2012) and Adam (Kingma and Ba 2015, algorithm 1), each with
    decoupled weight decay (Loshchilov and Hutter 2019)."""

    def __init__(self, recipe: Recipe, variables: Sequence[tf.Variable]) -> None:
        self._recipe, self._variables = recipe, list(variables)
        name = recipe.optimiser
        if name not in OPTIMISERS:
            raise ContractError(unknown_name("optimiser", name, OPTIMISERS))
        self._first = self._slots() if name in ("momentum", "adam") else []
        self._second = self._slots() if name in ("rmsprop", "adam") else []
        # Counted in double: beta2 ** t in single precision spoils the first bias corrections.
        self._count = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        # The rates of all steps, on the device: a graph reads its own, and is traced once.
        self._rates = tf.constant(learning_rates(recipe), tf.float64) if is_scheduled(recipe) else None

    def apply(self, gradients: Sequence[Tensor]) -> None:
        """One update of every variable, in place."""
        rate: float | Tensor = self._recipe.learning_rate
        if self._rates is not None or self._recipe.optimiser == "adam":
            count = self._count.assign_add(1.0)
        if self._rates is not None:
            rate = self._rates[tf.cast(count - 1, tf.int64) % len(self._rates)]
        if self._recipe.optimiser == "adam":
            self._adam(gradients, rate, count)
            return
        if self._rates is not None:
            rate = tf.cast(rate, gradients[0].dtype)
        {"sgd": self._sgd, "momentum": self._momentum, "rmsprop": self._rmsprop}[self._recipe.optimiser](
            gradients, rate
        )

    def _subtract(self, p: tf.Variable, change: Tensor, rate: float | Tensor) -> None:
        """p -= change + rate wd p."""
        decay = self._recipe.weight_decay
        p.assign_sub(change + (rate * decay) * p if decay else change)

    def _slots(self) -> list[tf.Variable]:
        return [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in self._variables]

    def _sgd(self, gradients: Sequence[Tensor], rate: float | Tensor) -> None:
        for p, g in zip(self._variables, gradients, strict=True):
            self._subtract(p, rate * g, rate)

    def _momentum(self, gradients: Sequence[Tensor], rate: float | Tensor) -> None:
        r = self._recipe
        for p, g, slot in zip(self._variables, gradients, self._first, strict=True):
            v = r.momentum * slot + g
            slot.assign(v)
            self._subtract(p, rate * v, rate)

    def _rmsprop(self, gradients: Sequence[Tensor], rate: float | Tensor) -> None:
        r = self._recipe
        for p, g, slot in zip(self._variables, gradients, self._second, strict=True):
            s = r.rho * slot + (1 - r.rho) * (g * g)
            slot.assign(s)
            self._subtract(p, rate * g / (tf.sqrt(s) + r.epsilon), rate)

    def _adam(self, gradients: Sequence[Tensor], rate: float | Tensor, count: Tensor) -> None:
        """p -= (lr / c1) m / (sqrt(v) / sqrt(c2) + eps), with c = 1 - beta^t: the bias corrections, taken out
        of the arrays.

        :param rate: float64 where it is a tensor. :param count: the step's number t, from 1, float64.
        """
        r = self._recipe
        dtype = gradients[0].dtype
        corrected = tf.cast(rate / (1 - tf.pow(tf.constant(r.beta1, tf.float64), count)), dtype)
        shrink = tf.cast(1 / tf.sqrt(1 - tf.pow(tf.constant(r.beta2, tf.float64), count)), dtype)
        plain = rate if isinstance(rate, float) else tf.cast(rate, dtype)
        slots = zip(self._variables, gradients, self._first, self._second, strict=True)
        for p, g, first, second in slots:
            m = r.beta1 * first + (1 - r.beta1) * g
            v = r.beta2 * second + (1 - r.beta2) * (g * g)
            first.assign(m)
            second.assign(v)
            self._subtract(p, corrected * m / (shrink * tf.sqrt(v) + r.epsilon), plain)
