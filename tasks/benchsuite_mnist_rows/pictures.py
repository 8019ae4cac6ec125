"""From each source's files to pictures and labels, in three splits."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.data import fetch, stratified_split
from benchsuite.errors import DataError
from benchsuite_mnist_rows.files import FILES

_VALIDATION = 5_000
_DIGITS_SEED = 1998


@dataclass(frozen=True)
class Labelled:
    """Pictures (n, height, width) uint8, 0 for paper, and their digits (n,) int32."""

    pictures: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Album:
    """The licence of a source's files, the value of full ink, and the three splits."""

    licence: str
    ink: int
    train: Labelled
    validation: Labelled
    test: Labelled


def mnist() -> Album:
    """The 60,000 training pictures without the last 5,000, those 5,000, and the 10,000 test pictures."""
    train, test = (
        Labelled(
            read_idx(fetch(FILES[f"mnist_{part}-images-idx3-ubyte.gz"])),
            read_idx(fetch(FILES[f"mnist_{part}-labels-idx1-ubyte.gz"])).astype(np.int32),
        )
        for part in ("train", "t10k")
    )
    return Album(
        FILES["mnist_train-images-idx3-ubyte.gz"].licence,
        255,
        Labelled(train.pictures[:-_VALIDATION], train.labels[:-_VALIDATION]),
        Labelled(train.pictures[-_VALIDATION:], train.labels[-_VALIDATION:]),
        test,
    )


def digits() -> Album:
    """scikit-learn's digits, 70/15/15 within each class by a fixed seed."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pictures, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.int32)
    parts = stratified_split(labels, (0.7, 0.15, 0.15), _DIGITS_SEED)
    return Album(
        "CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)",
        16,
        *(Labelled(pictures[rows], labels[rows]) for rows in parts),
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
