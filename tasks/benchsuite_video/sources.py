"""From a source and options to films in three splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Options
from benchsuite.data.pictures import ImageSplits, LabelledImages, digits, mnist
from benchsuite_video.film import draw_films

SOURCES = {"moving_mnist": (mnist, 1, 64), "moving_digits": (digits, 2, 32)}
"""Name -> the pictures, how many times each of their pixels is repeated both ways, and the side of a frame."""

_SEEDS = (2015, 2016, 2017)


@dataclass(frozen=True)
class LabelledFilms:
    """n films: frames (n, T, pixels) float32 in [0, 1], and the digits they show (n, 2) int32."""

    frames: np.ndarray
    digits: np.ndarray


@dataclass(frozen=True)
class FilmSplits:
    """Three splits of films, the side of a frame in pixels, and the licence of their pictures."""

    train: LabelledFilms
    validation: LabelledFilms
    test: LabelledFilms
    side: int
    licence: str


def load_films(source: str, options: Options, kinds: int = 10) -> FilmSplits:
    """The films that the options ask for, of the digits 0 to `kinds` - 1; each split's are of its own
    pictures."""
    load, repeat, side = SOURCES[source]
    count, frames, scale = (options.integer(name) for name in ("sequences", "frames", "scale"))
    images: ImageSplits = load()
    train, validation, test = (
        _films(part, kinds, size, frames, side, scale, repeat, images.maximum, seed)
        for part, size, seed in zip(
            (images.train, images.validation, images.test),
            (count, count // 10, count // 5),
            _SEEDS,
            strict=True,
        )
    )
    return FilmSplits(train, validation, test, side // scale, images.licence)


def _films(
    part: LabelledImages,
    kinds: int,
    count: int,
    frames: int,
    side: int,
    scale: int,
    repeat: int,
    maximum: int,
    seed: int,
) -> LabelledFilms:
    kept = part.labels < kinds
    pictures, labels = part.pictures[kept], part.labels[kept]
    large = LabelledImages(pictures.repeat(repeat, axis=1).repeat(repeat, axis=2), labels)
    found, shown = draw_films(large, count, frames, side, scale, seed)
    found /= maximum
    return LabelledFilms(found, shown)
