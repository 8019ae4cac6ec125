"""Log-mel energies: what a time step sees of a sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft

from benchsuite.errors import RequestError
from benchsuite_speech.clips import RATE

LOWEST = 60.0
"""Hz, where the lowest band begins: below it there is hum, and no voice."""
RANGE = 60.0
"""dB below a clip's loudest band energy, where energies are cut off."""


@dataclass(frozen=True)
class LogMel:
    """Frames of `window` samples, Hann-weighted, one every `hop` samples; their power spectrum, summed into
    `bands` triangles that are equally wide in mel (Davis and Mermelstein 1980); its natural logarithm.

    Normalised by clip: the mean over all of a clip's frames and bands is zero and their deviation one, which
    takes out the level. Band by band it would also take out the spectrum that tells vowels apart: with a GRU
    of 64 on fsdd that cost six points of accuracy.
    """

    bands: int
    window: int
    hop: int

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """(samples,) -> (frames, bands) float32. Only whole frames count, one at least: a sound shorter than
        a window is lengthened by silence."""
        short = self.window - len(samples)
        if short > 0:
            samples = np.pad(samples, (0, short))
        frames = np.lib.stride_tricks.sliding_window_view(samples, self.window)[:: self.hop]
        power = np.abs(scipy.fft.rfft(frames * self._hann, self._size)) ** 2
        energies = power @ self.bank
        floor = max(float(energies.max()) * 10 ** (-RANGE / 10), float(np.finfo(np.float32).tiny))
        log = np.log(np.maximum(energies, floor), dtype=np.float64)
        deviation = log.std()
        normal: np.ndarray = ((log - log.mean()) / (deviation if deviation > 0 else 1.0)).astype(np.float32)
        return normal

    @property
    def recipe(self) -> str:
        """The settings in words: with the samples, all that the features are made of."""
        return (
            f"log-mel: {self.bands} bands from {LOWEST} Hz, window {self.window}, hop {self.hop}, {RANGE} dB, "
            "normalised by clip"
        )

    @cached_property
    def bank(self) -> np.ndarray:
        """(bins, bands) float32: the triangles, each with its top at one.

        Raises RequestError where a band is so narrow that it holds no bin of the spectrum.
        """
        edges = from_mel(np.linspace(to_mel(LOWEST), to_mel(RATE / 2), self.bands + 2))
        low, top, high = edges[:-2], edges[1:-1], edges[2:]
        bins = scipy.fft.rfftfreq(self._size, 1 / RATE)[:, None]
        bank = np.maximum(0, np.minimum((bins - low) / (top - low), (high - bins) / (high - top)))
        if not bank.any(axis=0).all():
            raise RequestError(
                f"speech: {self.bands} bands are too narrow for a window of {self.window} samples; "
                "lower option bands or raise window_ms"
            )
        triangles: np.ndarray = bank.astype(np.float32)
        return triangles

    @cached_property
    def _hann(self) -> np.ndarray:
        return np.hanning(self.window + 1)[:-1].astype(np.float32)

    @property
    def _size(self) -> int:
        """Length of the transform: the power of two that the window fits into."""
        return 1 << (self.window - 1).bit_length()


def to_mel(hertz: float) -> float:
    """2595 lg(1 + f / 700) (O'Shaughnessy 1987)."""
    return float(2595 * np.log10(1 + hertz / 700))


def from_mel(mel: np.ndarray) -> np.ndarray:
    """The inverse of to_mel()."""
    hertz: np.ndarray = 700 * (10 ** (mel / 2595) - 1)
    return hertz
