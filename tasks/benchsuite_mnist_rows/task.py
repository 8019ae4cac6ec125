"""The task `mnist_rows`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.data import classification_metrics, confusion, fixed_order, majority_baseline
from benchsuite.data.pictures import digits, mnist
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.schema import (
    Convolutional,
    Dense,
    Exhibit,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Size,
    recurrent_body,
)
from benchsuite.schema.trial import Scalar

_CLASSES = 10
_SOURCES = {"mnist": mnist, "digits": digits}


class MnistRows(Task):
    """Ten classes; `accuracy` ranks."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Pictures as sequences: (height, width) by rows, (width, height) by columns, (height * width, 1) by
        pixels, float32 in [0, 1]; targets (n,) int32."""
        if source not in _SOURCES:
            raise UnknownNameError("source of mnist_rows", source, _SOURCES)
        album = _SOURCES[source]()
        train, validation, test = (
            Split(Ragged.from_dense(_sequences(part.pictures, album.ink, options)), part.labels)
            for part in (album.train, album.validation, album.test)
        )
        height, width = album.train.pictures.shape[1:]
        return Dataset(
            name=f"mnist_rows/{source}",
            train=train,
            validation=validation,
            test=test,
            metadata={"classes": _CLASSES, "height": height, "width": width},
            baselines={"majority": majority_baseline(album.train.labels, album.test.labels, _CLASSES)},
            licence=album.licence,
        )

    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """A recurrent stack read at the last step, or the convolutional baseline; ten scores.

        The baseline is given the sequence laid out as a picture again: upright for rows and pixels, on its
        side for columns, shuffled for `permuted`.
        """
        body: Recurrent | Convolutional
        if architecture == "cnn":
            height, width = dataset.metadata["height"], dataset.metadata["width"]
            body = Convolutional(*((width, height) if options["view"] == "columns" else (height, width)))
        else:
            body = recurrent_body(architecture, cell, size)
        return ModelSpec(
            input=Features(dataset.train.inputs.values.shape[1]),
            body=body,
            head=Rbf(_CLASSES) if options["head"] == "rbf" else Dense(_CLASSES),
            loss="cross_entropy",
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        """accuracy, macro_f1 and cross_entropy of scores (n, 10)."""
        assert isinstance(split.targets, np.ndarray)
        return classification_metrics(predictions, split.targets)

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,  # noqa: ARG002
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """Which digit was taken for which."""
        assert isinstance(split.targets, np.ndarray)
        return [
            confusion(
                "digits read, by the digit written",
                predictions.argmax(axis=1),
                split.targets,
                [str(digit) for digit in range(_CLASSES)],
            )
        ]


def _sequences(pictures: np.ndarray, ink: int, options: Mapping[str, Scalar]) -> np.ndarray:
    """Pictures (n, height, width) as sequences (n, T, D), float32, 1 for full ink."""
    view = options["view"]
    if view == "columns":
        pictures = pictures.swapaxes(1, 2)
    elif view == "pixels":
        pictures = pictures.reshape(len(pictures), -1, 1)
    elif view == "permuted":
        seed = options["permutation"]
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise RequestError(
                f"mnist_rows: option permutation is {seed!r}; it must be a seed, 0 to 2^32 - 1"
            )
        pixels = pictures.reshape(len(pictures), -1)
        pictures = pixels.take(fixed_order(pixels.shape[1], seed), axis=1)[:, :, None]
    shares: np.ndarray = np.divide(pictures, ink, dtype=np.float32, order="C")
    return shares
