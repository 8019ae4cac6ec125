"""Strings of digits, joined of clips."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.speech import clips
from hypothesis import given
from hypothesis import strategies as st

from benchsuite_speech.clips import RATE
from benchsuite_speech.strings import FEWEST, MOST, PAUSE_NOISE, PAUSES, draw_strings, frames_needed, join


@given(st.integers(0, 1000))
def test_a_string_is_of_one_speaker_and_of_the_clips_allowed(seed: int) -> None:
    allowed = clips().split("official", 0)[1]
    for rows in draw_strings(clips(), allowed, 5, seed):
        assert FEWEST <= len(rows) <= MOST
        assert set(rows) <= set(allowed)
        assert len(set(clips().speakers[rows])) == 1


def test_strings_of_all_lengths_digits_and_speakers_occur() -> None:
    rows = draw_strings(clips(), clips().split("official", 0)[0], 300, 1)
    lengths = np.bincount([len(string) for string in rows])
    assert lengths[:3].tolist() == [0, 0, 0]
    assert np.all(lengths[3:] > 70)
    assert set(clips().digits[np.concatenate(rows)]) == set(range(10))
    assert set(clips().speakers[np.concatenate(rows)]) == set(range(6))


def test_clips_are_joined_unchanged_with_pauses() -> None:
    waves = [clips().waves[row] for row in (0, 40, 80)]
    joined = join(np.random.RandomState(0), waves)
    assert np.array_equal(joined[: len(waves[0])], waves[0])
    assert np.array_equal(joined[-len(waves[2]) :], waves[2])
    pauses = (len(joined) - sum(map(len, waves))) / RATE
    assert 2 * PAUSES[0] - 0.001 <= pauses <= 2 * PAUSES[1]
    quiet = joined[len(waves[0]) : len(waves[0]) + int(PAUSES[0] * RATE)]
    assert quiet.std() == pytest.approx(PAUSE_NOISE, rel=0.15)


@pytest.mark.parametrize(
    ("labels", "frames"), [([1, 2, 3], 3), ([1, 1, 1], 5), ([4, 4, 2, 2, 2], 8), ([7], 1)]
)
def test_ctc_needs_a_blank_between_equal_labels(labels: list[int], frames: int) -> None:
    assert frames_needed(np.array(labels)) == frames
