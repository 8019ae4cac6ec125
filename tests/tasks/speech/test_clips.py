"""Recordings: how they are read, their level, and who is in which split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixtures.speech import archive, clips, wav
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import DataError
from benchsuite_speech.clips import normalised, read_fsdd
from benchsuite_speech.features import LogMel


def test_recordings_are_read_by_name(tmp_path: Path) -> None:
    sound = np.array([100, 300, 100, -100])
    path = archive(tmp_path / "a.zip", **{"7_zoe_12": wav(sound), "0_amy_3": wav(-sound)})
    found = read_fsdd(path)
    assert [found.title(row) for row in range(2)] == ["0_amy_3", "7_zoe_12"]
    assert found.digits.tolist() == [0, 7]
    np.testing.assert_allclose(found.waves[1], np.array([0, 1, 0, -1]) * 2**0.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (wav(np.ones(8), rate=16_000), "16000 Hz"),
        (wav(np.ones(8), channels=2), "2 channels"),
        (wav(np.ones(0)), "0 samples"),
    ],
)
def test_another_format_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_fsdd(archive(tmp_path / "a.zip", **{"1_amy_0": content}))


def test_an_archive_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file called"):
        read_fsdd(archive(tmp_path / "a.zip"))


@given(st.integers(1, 50), st.floats(0.01, 1000), st.floats(-500, 500))
def test_level_and_offset_do_not_matter(seed: int, level: float, offset: float) -> None:
    sound = np.random.RandomState(seed).standard_normal(200)
    np.testing.assert_allclose(normalised(level * sound + offset), normalised(sound), atol=1e-4)
    assert np.mean(normalised(sound).astype(np.float64) ** 2) == pytest.approx(1, rel=1e-5)


def test_silence_stays_silence() -> None:
    assert not normalised(np.full(9, 7.0)).any()
    assert not LogMel(24, 200, 120)(np.zeros(400, np.float32)).any()


def test_the_official_split_is_by_take() -> None:
    parts = clips().split("official", 0)
    assert [len(part) for part in parts] == [600, 300, 300]
    assert [set(clips().takes[part]) for part in parts] == [
        set(range(10, 20)),
        set(range(5, 10)),
        set(range(5)),
    ]


@pytest.mark.parametrize("speaker", range(6))
def test_a_speaker_held_out_is_heard_in_the_test_split_alone(speaker: int) -> None:
    train, validation, test = clips().split("speaker", speaker)
    assert set(clips().speakers[test]) == {speaker}
    assert speaker not in clips().speakers[np.concatenate([train, validation])]
    assert len({*train, *validation, *test}) == len(clips())
