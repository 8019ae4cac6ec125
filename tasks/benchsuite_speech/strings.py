"""Strings of digits: clips of one speaker, joined with short pauses."""

from __future__ import annotations

import hashlib

import numpy as np

from benchsuite_speech.clips import RATE, Clips

FEWEST, MOST = 3, 5
"""Digits of a string."""
PAUSES = (0.05, 0.2)
"""Seconds between two digits, drawn uniformly."""
PAUSE_NOISE = 10 ** (-30 / 20)
"""Amplitude of the white noise in a pause, 30 dB below the clips: spread over the bands it just stays above the
floor of the features. Digital silence would mark the joins by a sign that no recording has."""


def draw_strings(clips: Clips, allowed: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """`count` strings of clips among the rows `allowed`, the row numbers of one speaker's clips each.

    The speaker, the length, each digit and each take are drawn uniformly, so that digits repeat and a clip
    is part of many strings.
    """
    random = np.random.RandomState(seed)  # its stream is frozen, so these strings never change
    speakers = np.unique(clips.speakers[allowed])
    pool = {
        (speaker, digit): allowed[(clips.speakers[allowed] == speaker) & (clips.digits[allowed] == digit)]
        for speaker in speakers
        for digit in range(10)
    }
    chosen = []
    for _ in range(count):
        speaker = speakers[random.randint(len(speakers))]
        digits = random.randint(10, size=random.randint(FEWEST, MOST + 1))
        takes = [pool[speaker, digit] for digit in digits]
        chosen.append(np.array([rows[random.randint(len(rows))] for rows in takes]))
    return chosen


def drawn_clips(strings: list[list[np.ndarray]]) -> str:
    """SHA-256 of the clips' row numbers in the strings of each split."""
    content = hashlib.sha256()
    for split in strings:
        for rows in split:
            content.update(f"{rows.tolist()}".encode())
    return content.hexdigest()


def join(random: np.random.RandomState, waves: list[np.ndarray]) -> np.ndarray:
    """Clips of unit power, one after the other with a pause between two: (samples,) float32."""
    parts = [waves[0]]
    for following in waves[1:]:
        pause = int(random.uniform(*PAUSES) * RATE)
        parts += [(PAUSE_NOISE * random.standard_normal(pause)).astype(np.float32), following]
    return np.concatenate(parts)


def frames_needed(labels: np.ndarray) -> int:
    """Least number of steps in which CTC can emit `labels`: one each, and a blank between two equal ones."""
    return len(labels) + int(np.sum(labels[1:] == labels[:-1]))
