"""Spoken digits, one by one: reading the recordings, and the splits."""

from __future__ import annotations

import hashlib
import re
import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.data import fetch
from benchsuite.errors import DataError
from benchsuite_speech.files import FSDD

RATE = 8000
"""Samples per second, of every source."""

_NAME = re.compile(r"[^/]+/recordings/(\d)_([a-z]+)_(\d+)\.wav")


@dataclass(frozen=True)
class Clips:
    """n clips.

    waves     each (samples,) float32 at RATE, without offset and of unit power: see normalised()
    digits    (n,) int32, 0 to 9
    speakers  (n,) int64, numbers of their names in alphabetical order
    takes     (n,) int64, number of the recording among those of its speaker and digit
    names     of the speakers
    licence   of the source
    content   SHA-256 of the samples as 16-bit integers, clip by clip, and of digits, speakers and takes: the
              same on every machine, which the last digits of `waves` need not be
    """

    waves: list[np.ndarray]
    digits: np.ndarray
    speakers: np.ndarray
    takes: np.ndarray
    names: tuple[str, ...]
    licence: str
    content: str

    def __len__(self) -> int:
        return len(self.waves)

    def split(self, how: str, speaker: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row numbers of the training, the validation and the test split; see the plugin's docstring."""
        if how == "official":
            return (
                np.flatnonzero(self.takes >= 10),
                np.flatnonzero((self.takes >= 5) & (self.takes < 10)),
                np.flatnonzero(self.takes < 5),
            )
        held_out = self.speakers == speaker
        return (
            np.flatnonzero(~held_out & (self.takes >= 5)),
            np.flatnonzero(~held_out & (self.takes < 5)),
            np.flatnonzero(held_out),
        )

    def title(self, row: int) -> str:
        """A clip as its file is called: digit, speaker, take."""
        return f"{self.digits[row]}_{self.names[self.speakers[row]]}_{self.takes[row]}"


def fsdd() -> Clips:
    """The Free Spoken Digit Dataset."""
    return read_fsdd(fetch(FSDD))


def read_fsdd(path: Path) -> Clips:
    """Archive of `*/recordings/{digit}_{speaker}_{take}.wav`: mono, 16 bits, 8 kHz; sorted by name.

    Raises DataError for an archive without recordings, or with one of another format.
    """
    samples, found = [], []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if match := _NAME.fullmatch(name):
                with archive.open(name) as stream:
                    samples.append(_read_wave(f"{path}: {name}", stream))
                found.append((int(match[1]), match[2], int(match[3])))
    if not found:
        raise DataError(f"{path}: no file called recordings/DIGIT_SPEAKER_TAKE.wav in it")
    digits, speakers, takes = zip(*found, strict=True)
    names, numbers = np.unique(speakers, return_inverse=True)
    labels = np.array([digits, numbers, takes])
    return clips_of(samples, labels, tuple(str(name) for name in names), FSDD.licence)


def clips_of(samples: list[np.ndarray], labels: np.ndarray, names: tuple[str, ...], licence: str) -> Clips:
    """Clips of recorded samples, (samples,) whole numbers of 16 bits each, in any dtype; `labels` (3, n):
    digit, speaker and take of each."""
    content = hashlib.sha256(np.ascontiguousarray(labels, "<i8").data)
    for one in samples:
        content.update(one.astype("<i2").tobytes())
    digits, speakers, takes = labels.astype(np.int64)
    waves = [normalised(one) for one in samples]
    return Clips(waves, digits.astype(np.int32), speakers, takes, names, licence, content.hexdigest())


def _read_wave(place: str, stream: object) -> np.ndarray:
    with wave.open(stream) as sound:  # type: ignore[call-overload]  # any binary stream will do
        form = (sound.getnchannels(), 8 * sound.getsampwidth(), sound.getframerate())
        if form != (1, 16, RATE) or not sound.getnframes():
            raise DataError(
                f"{place}: {form[0]} channels, {form[1]} bits, {form[2]} Hz, {sound.getnframes()} samples; "
                f"expected sound of 1 channel, 16 bits, {RATE} Hz"
            )
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float32)


def normalised(samples: np.ndarray) -> np.ndarray:
    """A clip (samples,) with its mean taken away and its power divided out; silence stays silence.

    One speaker of fsdd has an offset of -232 of 32767, which would click at every join of a string.
    """
    centred = samples - samples.mean(dtype=np.float64)
    power = np.sqrt(np.mean(centred**2))
    unit: np.ndarray = (centred / (power if power > 0 else 1.0)).astype(np.float32)
    return unit
