"""The task `mnist_rows`: data, model, metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, Options, Ragged, Split, Task
from benchsuite.data import Classification, fixed_order, majority_baseline
from benchsuite.data.pictures import digits, mnist
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

_CLASSES = 10
_SOURCES = {"mnist": mnist, "digits": digits}
_HEADS: dict[str, Callable[[int], Dense | Rbf]] = {"dense": Dense, "rbf": Rbf}


class MnistRows(Task):
    """Pictures of handwritten digits, read as sequences."""

    def load(self, source: str, options: Options) -> LoadedMnistRows:
        """Pictures as sequences: (height, width) by rows, (width, height) by columns, (height * width, 1) by
        pixels, float32 in [0, 1]; targets (n,) int32."""
        images = _SOURCES[source]()
        view, permutation = options.text("view"), options.integer("permutation")
        train, validation, test = (
            Split(
                Ragged.from_dense(_sequences(part.pictures, images.maximum, view, permutation)), part.labels
            )
            for part in (images.train, images.validation, images.test)
        )
        height, width = images.train.pictures.shape[1:]
        return LoadedMnistRows(
            name=f"mnist_rows/{source}",
            train=train,
            validation=validation,
            test=test,
            classes=tuple(str(digit) for digit in range(_CLASSES)),
            picture=(width, height) if view == "columns" else (height, width),
            head=_HEADS[options.text("head")](_CLASSES),
            baselines={"majority": majority_baseline(images.train.labels, images.test.labels, _CLASSES)},
            licence=images.licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedMnistRows(Classification):
    """Ten classes; `accuracy` ranks.

    picture  height and width that the sequence has when it is laid out as a picture again: upright for rows and
             pixels, on its side for columns
    head     output layer
    """

    picture: tuple[int, int]
    head: Dense | Rbf

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack read at the last step, or the convolutional baseline on the sequence as a picture
        (its pixels are shuffled in the view `permuted`); ten scores."""
        body: Recurrent | Convolutional
        body = (
            Convolutional(*self.picture)
            if architecture == "cnn"
            else recurrent_body(architecture, cell, size)
        )
        return ModelSpec(
            input=Features(self.train.inputs.values.shape[1]), body=body, head=self.head, loss="cross_entropy"
        )

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """Which digit was taken for which."""
        return [self.confusion("digits read, by the digit written", predictions, split)]


def _sequences(pictures: np.ndarray, maximum: int, view: str, permutation: int) -> np.ndarray:
    """Pictures (n, height, width) as sequences (n, T, D), float32, 1 for the largest value `maximum`.

    :param view: what one time step sees.
    :param permutation: seed of the order of pixels in the view `permuted`.
    """
    if view == "columns":
        pictures = pictures.swapaxes(1, 2)
    elif view == "pixels":
        pictures = pictures.reshape(len(pictures), -1, 1)
    elif view == "permuted":
        pixels = pictures.reshape(len(pictures), -1)
        pictures = pixels.take(fixed_order(pixels.shape[1], permutation), axis=1)[:, :, None]
    shares: np.ndarray = np.divide(pictures, maximum, dtype=np.float32, order="C")
    return shares
