"""A task small enough to train in a fraction of a second, and what tests build around it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.batching import Batcher, batcher
from benchsuite.contracts import Dataset, Program, Ragged, Split, Task
from benchsuite.errors import UnsupportedError
from benchsuite.initialisation import initial_parameters
from benchsuite.spec import (
    Dense,
    Execution,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
    Size,
    Trial,
    recurrent_body,
)
from benchsuite.spec.trial import Scalar
from benchsuite_numpy.reference import ReferenceBackend


def ragged_split(lengths: np.ndarray, seed: int = 0, features: int = 2) -> Split:
    """Sequences of real numbers; the class says whether the first feature's sum is positive."""
    random = np.random.default_rng(seed)
    rows = [random.normal(size=(int(length), features)) for length in lengths]
    return Split(Ragged.from_sequences(rows), np.array([row[:, 0].sum() > 0 for row in rows], np.int32))


class SignTask(Task):
    """Whether a short noisy sequence sums to a positive number."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        if source != "generated":
            raise UnsupportedError(f"source {source!r} is unknown; there is: generated")
        random = np.random.default_rng(int(options.get("seed", 0)))
        train, validation, test = (
            ragged_split(random.integers(3, 8, count), seed) for seed, count in ((1, 96), (2, 32), (3, 32))
        )
        return Dataset("sign", train, validation, test)

    def model(
        self,
        dataset: Dataset,  # noqa: ARG002
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
        return ModelSpec(Features(2), recurrent_body(architecture, cell, size), Dense(2), "cross_entropy")

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        return {"accuracy": float(np.mean(predictions.argmax(axis=1) == split.targets))}


class MeanTask(SignTask):
    """The mean of a sequence's two features: a regression, where lower is better."""

    primary = "mse"
    higher_is_better = False

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        found = super().dataset(source, options)
        return Dataset("mean", _means(found.train), _means(found.validation), _means(found.test))

    def model(
        self,
        dataset: Dataset,  # noqa: ARG002
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
        return ModelSpec(Features(2), recurrent_body(architecture, cell, size), Dense(2), "squared")

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        assert isinstance(split.targets, np.ndarray)
        return {"mse": float(np.mean((predictions - split.targets) ** 2))}


def _means(split: Split) -> Split:
    return Split(split.inputs, np.array([split.inputs[row].mean(axis=0) for row in range(len(split))]))


def sign_data() -> Dataset:
    return SignTask().dataset("generated", {})


def sign_model(cell: str = "gru", hidden: int = 6) -> ModelSpec:
    return ModelSpec(Features(2), Recurrent(cell, hidden), Dense(2), "cross_entropy")


def program(model: ModelSpec, recipe: Recipe, seed: int = 0, precision: str = "float64") -> Program:
    execution = Execution.model_validate({"precision": precision})
    weights = initial_parameters(model, seed, execution.dtype)
    return ReferenceBackend().build(model, weights, recipe, execution)


def sign_batcher(data: Dataset, rows: int = 16, dtype: str = "float64") -> Batcher:
    return batcher(data.train, [data.validation, data.test], rows, dtype)


def trial(**fields: object) -> Trial:
    """A valid trial, changed by `fields`."""
    given: dict[str, object] = {
        "task": "sign",
        "source": "generated",
        "cell": "gru",
        "architecture": "plain",
        "backend": "numpy",
    }
    return Trial.model_validate(given | fields)
