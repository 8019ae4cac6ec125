"""Pictures of handwritten digits that several tasks are made from: MNIST, and those of scikit-learn."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.contracts.file import DataFile
from benchsuite.data.cache import fetch
from benchsuite.data.splits import stratified_split
from benchsuite.errors import DataError

_URL = "https://raw.githubusercontent.com/fgnt/mnist/ae608a02b796c9ee908c082585a5f006fe05258e"
_LICENCE = "none in the copy's repository; Keras documents MNIST as CC BY-SA 3.0 (LeCun and Cortes)"

MNIST_FILES = {
    file.name: file
    for file in (
        DataFile(
            "mnist_train-images-idx3-ubyte.gz",
            f"{_URL}/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
            _LICENCE,
        ),
        DataFile(
            "mnist_train-labels-idx1-ubyte.gz",
            f"{_URL}/train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
            _LICENCE,
        ),
        DataFile(
            "mnist_t10k-images-idx3-ubyte.gz",
            f"{_URL}/t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
            _LICENCE,
        ),
        DataFile(
            "mnist_t10k-labels-idx1-ubyte.gz",
            f"{_URL}/t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
            _LICENCE,
        ),
    )
}

_VALIDATION = 5_000
_DIGITS_SEED = 1998


@dataclass(frozen=True)
class LabelledImages:
    """Pictures (n, height, width) uint8, 0 for the background, and their digits (n,) int32."""

    pictures: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class ImageSplits:
    """The licence of a source's files, the largest value that a pixel can have, and the three splits."""

    licence: str
    maximum: int
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def mnist() -> ImageSplits:
    """The 60,000 training pictures without the last 5,000, those 5,000, and the 10,000 test pictures."""
    train, test = (
        LabelledImages(
            read_idx(fetch(MNIST_FILES[f"mnist_{part}-images-idx3-ubyte.gz"])),
            read_idx(fetch(MNIST_FILES[f"mnist_{part}-labels-idx1-ubyte.gz"])).astype(np.int32),
        )
        for part in ("train", "t10k")
    )
    return ImageSplits(
        MNIST_FILES["mnist_train-images-idx3-ubyte.gz"].licence,
        255,
        LabelledImages(train.pictures[:-_VALIDATION], train.labels[:-_VALIDATION]),
        LabelledImages(train.pictures[-_VALIDATION:], train.labels[-_VALIDATION:]),
        test,
    )


def digits() -> ImageSplits:
    """scikit-learn's digits, 70/15/15 within each class by a fixed seed."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pictures, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.int32)
    parts = stratified_split(labels, (0.7, 0.15, 0.15), _DIGITS_SEED)
    return ImageSplits(
        "CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)",
        16,
        *(LabelledImages(pictures[rows], labels[rows]) for rows in parts),
    )


def read_idx(path: Path) -> np.ndarray:
    """A gzipped IDX file of unsigned bytes, as an array of the shape its header gives; read-only.

    Big-endian header: two zero bytes, type 8 (uint8), the number of axes, then each axis as uint32.
    Raises DataError when the header or the size is another.
    """
    with gzip.open(path) as stream:
        content = stream.read()
    axes = content[3] if len(content) > 3 else 0
    if content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * axes:
        raise DataError(f"{path}: no IDX file of unsigned bytes (it begins with {content[:4].hex()})")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", axes, 4))
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    if values.size != np.prod(shape):
        raise DataError(f"{path}: {values.size} values, but its header says {shape}")
    return values.reshape(shape)
