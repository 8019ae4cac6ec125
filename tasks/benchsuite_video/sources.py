"""From a source and options to films in three splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Options
from benchsuite.data.pictures import Album, Labelled, digits, mnist
from benchsuite_video.film import shoot

SOURCES = {"moving_mnist": (mnist, 1, 64), "moving_digits": (digits, 2, 32)}
"""Name -> the pictures, how many times each of their pixels is repeated both ways, and the side of a frame."""

_SEEDS = (2015, 2016, 2017)


@dataclass(frozen=True)
class Reel:
    """n films: frames (n, T, pixels) float32 in [0, 1], and the digits they show (n, 2) int32."""

    frames: np.ndarray
    digits: np.ndarray


@dataclass(frozen=True)
class Programme:
    """Three splits of films, the side of a frame in pixels, and the licence of their pictures."""

    train: Reel
    validation: Reel
    test: Reel
    side: int
    licence: str


def load_films(source: str, options: Options) -> Programme:
    """The films that the options ask for; each split's are of its own pictures."""
    load, repeat, side = SOURCES[source]
    count, frames, scale = (options.integer(name) for name in ("sequences", "frames", "scale"))
    album: Album = load()
    train, validation, test = (
        _reel(part, size, frames, side, scale, repeat, album.ink, seed)
        for part, size, seed in zip(
            (album.train, album.validation, album.test),
            (count, count // 10, count // 5),
            _SEEDS,
            strict=True,
        )
    )
    return Programme(train, validation, test, side // scale, album.licence)


def _reel(
    part: Labelled, count: int, frames: int, side: int, scale: int, repeat: int, ink: int, seed: int
) -> Reel:
    large = Labelled(part.pictures.repeat(repeat, axis=1).repeat(repeat, axis=2), part.labels)
    found, shown = shoot(large, count, frames, side, scale, seed)
    found /= ink
    return Reel(found, shown)
