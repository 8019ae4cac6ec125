"""Digits from a small formant synthesiser: speech that needs no download.

A digit is a row of phones, and read backwards it is another digit, so that an average over time cannot tell the
two apart. A phone has three formants, F1 to F3 of Peterson and Barney (1952, table II, men) for
the vowels, and how much of it is voice and how much is breath; between phones all of these glide. Voice is
what a vocal tract rings like after each glottal pulse: the sum over formants of
a_k exp(-pi B_k t) sin(2 pi F_k t), t since the pulse (the wave functions of Rodet 1984). Breath is noise, made
bright by differencing. A voice has a pitch, a vocal tract that scales all formants, a pace, a level and a
background noise; a take varies all but the level.
"""

from __future__ import annotations

import numpy as np

from benchsuite_speech.clips import RATE, Clips, clips_of

TAKES = 20
"""Of each digit by each voice."""
VOICES = ("ada", "bo", "cleo", "dan", "eve", "finn")

_SEED = 1952
_BANDWIDTHS = np.array([80.0, 120.0, 200.0])
_LOUDNESS = np.array([1.0, 0.6, 0.3])
_PHONES: dict[str, tuple[float, float, float, float, float]] = {
    # F1, F2, F3 in Hz, voice, breath
    "i": (270, 2290, 3010, 1, 0),
    "I": (390, 1990, 2550, 1, 0),
    "e": (530, 1840, 2480, 1, 0),
    "a": (730, 1090, 2440, 1, 0),
    "o": (570, 840, 2410, 1, 0),
    "u": (300, 870, 2240, 1, 0),
    "A": (640, 1190, 2390, 1, 0),
    "r": (490, 1350, 1690, 0.8, 0),
    "w": (300, 650, 2200, 0.7, 0),
    "n": (250, 1400, 2300, 0.4, 0),
    "v": (250, 1100, 2300, 0.3, 0.1),
    "z": (270, 1800, 2500, 0.3, 0.4),
    "s": (300, 1800, 2600, 0, 0.8),
    "f": (300, 1100, 2300, 0, 0.2),
    "-": (400, 1700, 2500, 0, 0),
    "t": (400, 1800, 2700, 0, 0.5),
}
DIGITS = ("ziro", "oriz", "wAn", "nAw", "tufe", "efut", "saI", "Ias", "nov-i", "i-von")
"""The phones of each digit, in a language of its own: every second one is the one before read backwards."""


def tones() -> Clips:
    """6 voices, 10 digits, 20 takes of each; the same ones every time."""
    random = np.random.RandomState(_SEED)  # its stream is frozen, so these clips never change
    count = len(VOICES)
    pitch = random.permutation(np.geomspace(85, 230, count))
    tract = 0.9 + 0.3 * (pitch - 85) / 145 * random.uniform(0.7, 1.0, count)  # high voices have short tracts
    pace = random.uniform(0.06, 0.09, count)
    level = random.permutation(np.geomspace(0.05, 0.8, count))  # sixteen-fold, as in recordings
    noise = 10 ** random.uniform(-1.0, -0.2, count)  # 20 to 4 dB below the voice
    samples, found = [], []
    for digit, phones in enumerate(DIGITS):
        for voice in range(count):
            for take in range(TAKES):
                varied = np.exp(random.uniform(-1, 1, 4) * [0.12, 0.05, 0.25, 0.7])
                clip = speak(
                    random,
                    phones,
                    pitch[voice] * varied[0],
                    tract[voice] * varied[1],
                    pace[voice] * varied[2],
                )
                clip += random.standard_normal(len(clip)) * noise[voice] * varied[3] * clip.std()
                samples.append(np.rint(clip / np.abs(clip).max() * level[voice] * 32767))
                found.append((digit, voice, take))
    return clips_of(samples, np.array(found).T, VOICES, "generated; no rights reserved")


def speak(random: np.random.RandomState, phones: str, pitch: float, tract: float, pace: float) -> np.ndarray:
    """One clip, (samples,) float64, without background noise.

    pitch  Hz, in the middle; it rises or falls by up to a fifth of itself
    tract  factor of all formants
    pace   seconds per phone
    """
    durations = pace * random.uniform(0.7, 1.3, len(phones))
    targets = np.array([_PHONES[phone] for phone in phones])
    targets[:, :3] *= tract * np.exp(random.uniform(-0.04, 0.04, (len(phones), 3)))
    middles = np.cumsum(durations) - durations / 2
    time = np.arange(int(durations.sum() * RATE)) / RATE
    f1, f2, f3, voice, breath = (np.interp(time, middles, column) for column in targets.T)
    cycles = np.cumsum(pitch * (1 + random.uniform(-0.2, 0.2) * (time / time[-1] - 0.5))) / RATE
    since = (cycles % 1) / pitch  # seconds since the last pulse
    ring = sum(
        loud * np.exp(-np.pi * width * since) * np.sin(2 * np.pi * formant * since)
        for loud, width, formant in zip(_LOUDNESS, _BANDWIDTHS, (f1, f2, f3), strict=True)
    )
    hiss = np.diff(random.standard_normal(len(time) + 1))
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)  # no click at either end
    sound: np.ndarray = edge * (voice * ring + 0.3 * breath * hiss)
    return sound
