"""Keras' optimisers, where they compute the canonical formulas or can be brought to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import OPTIMISERS, Recipe


def optimiser(recipe: Recipe, variables: Sequence[Any], dtype: str) -> Any:
    """SGD, SGD with momentum, or Adam, of Keras: with weight decay as Keras has it, which is decoupled."""
    # TensorFlow makes a Python float one of single precision before Keras makes it one of double
    exact = np.dtype(dtype).type if dtype == "float64" else float
    options: dict[str, Any] = {"learning_rate": recipe.learning_rate}
    options["weight_decay"] = exact(recipe.weight_decay) if recipe.weight_decay else None
    if recipe.optimiser == "adam":
        options |= {"beta_1": exact(recipe.beta1), "beta_2": exact(recipe.beta2), "epsilon": recipe.epsilon}
        return _measuring(keras.optimizers.Adam(**options), recipe, variables)
    if recipe.optimiser in ("sgd", "momentum"):
        options["momentum"] = exact(recipe.momentum if recipe.optimiser == "momentum" else 0)
        return _measuring(keras.optimizers.SGD(**options), recipe, variables)
    raise ContractError(unknown_name("optimiser", recipe.optimiser, OPTIMISERS))


def _measuring(plain: Any, recipe: Recipe, variables: Sequence[Any]) -> Any:
    """`plain`, built for `variables`, as one that clips as recipes do.

    Keras chooses the class of an optimiser by its framework, so it is made first and asked for its class.
    """
    configuration = plain.get_config()
    kind: Any = type(f"Measuring{type(plain).__name__}", (_Measuring, type(plain)), {})
    made = kind.from_config(configuration)
    made.recipe = recipe
    made.build(variables)
    return made


class _Measuring:
    """What a recipe has beside Keras' update.

    Keras clips by the same formulas, but tells neither the norm nor the largest entry; and TensorFlow's
    gradient of an embedding is slices, of which Keras would take the wrong norm. Adam's epsilon is Keras'
    multiplied by sqrt(1 - beta2^t): with it Keras computes m^ / (sqrt(v^) + eps), algorithm 1 of Kingma
    and Ba (2015).
    """

    recipe: Recipe
    measured: Any

    def build(self, variables: Any) -> None:
        if self.built:  # type: ignore[attr-defined]
            return
        super().build(variables)  # type: ignore[misc]
        self.measured = self.add_variable(  # type: ignore[attr-defined]
            shape=(), initializer="zeros", dtype=variables[0].dtype, name="measured"
        )

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        variables = list(trainable_variables or self._trainable_variables)  # type: ignore[attr-defined]
        gradients = self._clipped([_dense(*pair) for pair in zip(grads, variables, strict=True)])
        if self.recipe.optimiser != "adam":
            super().apply(gradients, variables)  # type: ignore[misc]
            return
        self.epsilon = self._scaled_epsilon(gradients[0].dtype)
        try:
            super().apply(gradients, variables)  # type: ignore[misc]
        finally:
            self.epsilon = self.recipe.epsilon

    def _clipped(self, gradients: list[Any]) -> list[Any]:
        clip, at = self.recipe.clip, self.recipe.clip_at
        if clip == "norm":
            norm = ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in gradients))
            self.measured.assign(norm)
            scale = at / ops.maximum(norm, at)
            return [gradient * scale for gradient in gradients]
        if clip == "value":
            peaks = [ops.max(ops.abs(gradient)) for gradient in gradients]
            self.measured.assign(ops.max(ops.stack(peaks)))
            return [ops.clip(gradient, -at, at) for gradient in gradients]
        return gradients

    def _scaled_epsilon(self, dtype: Any) -> Any:
        """eps sqrt(1 - beta2^t); 1 - beta2^t as -expm1(t ln beta2), which keeps its digits in single
        precision."""
        step = ops.cast(self.iterations + 1, dtype)  # type: ignore[attr-defined]
        beta = self.recipe.beta2
        kept = -ops.expm1(step * math.log(beta)) if beta else ops.ones_like(step)
        return self.recipe.epsilon * ops.sqrt(kept)


def _dense(gradient: Any, variable: Any) -> Any:
    """A gradient as a tensor: TensorFlow's of an embedding is slices, a row more than once where its id is."""
    if not hasattr(gradient, "dense_shape"):
        return gradient
    return ops.scatter(ops.expand_dims(gradient.indices, -1), gradient.values, variable.shape)
