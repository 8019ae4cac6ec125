"""The digits that are made of tones."""

from __future__ import annotations

import numpy as np
from fixtures.speech import clips

from benchsuite_speech.tones import DIGITS, TAKES, VOICES, tones


def test_tones_hold_every_take_of_every_voice_and_digit() -> None:
    found = clips()
    assert len(found) == 10 * len(VOICES) * TAKES
    assert np.bincount(found.digits).tolist() == [120] * 10
    assert len({found.title(row) for row in range(len(found))}) == len(found)
    again = tones()
    assert all(np.array_equal(a, b) for a, b in zip(found.waves, again.waves, strict=True))


def test_every_second_digit_is_the_one_before_read_backwards() -> None:
    assert len(set(DIGITS)) == 10
    assert [word[::-1] for word in DIGITS[::2]] == list(DIGITS[1::2])
