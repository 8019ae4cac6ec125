"""Log-mel energies."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.speech import clips
from hypothesis import given
from hypothesis import strategies as st

from benchsuite_speech.clips import RATE
from benchsuite_speech.features import LOWEST, RANGE, LogMel, from_mel, to_mel


def test_mel_is_the_published_scale() -> None:
    assert to_mel(0) == 0
    assert to_mel(1000) == pytest.approx(1000, abs=0.1)  # what the scale is defined by
    np.testing.assert_allclose(from_mel(np.array([to_mel(f) for f in (60, 440, 4000)])), [60, 440, 4000])


def test_triangles_cover_every_frequency_between_the_outer_tops() -> None:
    bank = LogMel(24, 200, 120).bank
    assert bank.shape == (129, 24)
    bins = np.arange(129) * RATE / 256
    edges = from_mel(np.linspace(to_mel(LOWEST), to_mel(RATE / 2), 26))
    inside = (bins >= edges[1]) & (bins <= edges[-2])
    np.testing.assert_allclose(bank[inside].sum(axis=1), 1, rtol=1e-6)
    assert not bank[bins <= LOWEST].any()


@pytest.mark.parametrize("hertz", [200, 700, 1500, 3000])
def test_a_tone_is_loudest_in_its_band(hertz: int) -> None:
    features = LogMel(24, 200, 120)
    frames = features(np.sin(2 * np.pi * hertz * np.arange(800) / RATE).astype(np.float32))
    edges = from_mel(np.linspace(to_mel(LOWEST), to_mel(RATE / 2), 26))
    nearest = np.argmin(np.abs(edges[1:-1] - hertz))
    assert np.all(np.abs(frames.argmax(axis=1) - nearest) <= 1)


@given(st.integers(60, 2000))
def test_whole_frames_count(samples: int) -> None:
    features = LogMel(8, 200, 120)
    sound = np.random.RandomState(samples).standard_normal(samples).astype(np.float32)
    frames = features(sound)
    assert frames.shape == (max(samples - 200, 0) // 120 + 1, 8)
    assert frames.dtype == np.float32
    assert frames.mean() == pytest.approx(0, abs=1e-5)
    assert frames.std() == pytest.approx(1, abs=1e-4)


def test_features_ignore_the_level_but_not_the_spectrum() -> None:
    features = LogMel(24, 200, 120)
    sound = clips().waves[5]
    np.testing.assert_allclose(features(sound * 16), features(sound), atol=1e-4)
    other = features(np.diff(sound, prepend=0))
    assert np.abs(other - features(sound)).max() > 0.5


def test_what_is_far_below_the_loudest_is_cut_off() -> None:
    sound = np.concatenate([np.random.RandomState(0).standard_normal(2000), np.full(2000, 1e-9)])
    frames = LogMel(24, 200, 120)(sound.astype(np.float32))
    quiet = frames[20:]
    assert np.all(quiet == quiet[0, 0])
    assert np.all(frames >= quiet[0, 0])
    assert RANGE == 60
