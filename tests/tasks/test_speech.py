import io
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_speech
from benchsuite.contracts import LoadedTask, TaskEntry
from benchsuite.errors import DataError, RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Features, Recurrent, Scalar, Size
from benchsuite_speech.clips import RATE, Clips, normalised, read_fsdd
from benchsuite_speech.features import LOWEST, RANGE, LogMel, from_mel, to_mel
from benchsuite_speech.strings import FEWEST, MOST, PAUSE_NOISE, PAUSES, draw_strings, frames_needed, join
from benchsuite_speech.task import LoadedSpeech
from benchsuite_speech.tones import DIGITS, TAKES, VOICES, tones
from benchsuite_speech.transcription import LABELS, LoadedSpeechStrings

DIGIT, STRINGS = benchsuite_speech.benchsuite_register_tasks()


def string_options(**given: Scalar) -> dict[str, Scalar]:
    return {"strings": 40} | given


@cache
def clips() -> Clips:
    return tones()


@cache
def spoken() -> LoadedSpeech:
    return load_task(LoadedSpeech, DIGIT, "tones")


@cache
def strings() -> LoadedSpeechStrings:
    return load_task(LoadedSpeechStrings, STRINGS, "tones", **string_options())


def written(data: LoadedSpeechStrings) -> np.ndarray:
    """The test split's labels, (n, MOST), zero after the last."""
    return data.test.sequence_targets.padded(np.arange(len(data.test)), MOST)


def wav(samples: np.ndarray, rate: int = RATE, channels: int = 1) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())
    return content.getvalue()


def archive(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as found:
        found.writestr("top/README.md", "hello")
        for name, content in files.items():
            found.writestr(f"top/recordings/{name}.wav", content)
    return path


def test_listing_the_tasks_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_speech as m; m.benchsuite_register_tasks();"
        "print([n for n in ('sklearn', 'scipy', 'jiwer', 'pooch', 'requests') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# reading


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


# features


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


# clips and splits


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


@pytest.mark.parametrize("split", ["official", "speaker"])
def test_a_dataset_follows_its_split(split: str) -> None:
    data = load_task(LoadedSpeech, DIGIT, "tones", split=split, speaker=2)
    for part, rows in zip((data.train, data.validation, data.test), clips().split(split, 2), strict=True):
        assert np.array_equal(part.row_targets, clips().digits[rows])
        assert np.array_equal(part.inputs[3], LogMel(24, 200, 120)(clips().waves[rows[3]]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bands", 0),
        ("bands", True),
        ("bands", 200),
        ("window_ms", 0),
        ("window_ms", "25"),
        ("hop_ms", -1),
        ("hop_ms", True),
        ("speaker", 6),
    ],
)
def test_options_without_meaning_are_refused(name: str, value: Scalar) -> None:
    with pytest.raises(RequestError, match=name):
        load_task(LoadedSpeech, DIGIT, "tones", **{name: value})


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="fsdd, tones"):
        load_task(LoadedSpeech, DIGIT, "timit")


@pytest.mark.parametrize("entry", [DIGIT, STRINGS], ids=lambda entry: entry.name)
def test_fsdd_without_files_and_network_says_where_to_put_them(
    entry: TaskEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path))
    monkeypatch.setenv("BENCHSUITE_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"fsdd-1\.0\.10\.zip"):
        load_task(LoadedTask, entry, "fsdd")


# one digit


def test_the_average_spectrum_hears_no_order() -> None:
    """It cannot tell a digit from the one that is its reverse, so it is far from right."""
    baselines = spoken().baselines
    assert baselines["majority"]["accuracy"] == pytest.approx(0.1)
    assert 0.4 < baselines["average_spectrum"]["accuracy"] < 0.75


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_the_model_takes_what_the_clips_give(readout: str) -> None:
    data = load_task(LoadedSpeech, DIGIT, "tones", readout=readout)
    model = data.model("bidirectional", "gru", Size(hidden=7))
    assert model.input == Features(24)
    assert model.body == Recurrent("gru", 7, 1, bidirectional=True)
    assert model.head == Dense(10)
    assert (model.loss, model.readout) == ("cross_entropy", readout)


@pytest.mark.parametrize("load", [spoken, strings])
def test_an_architecture_without_use_is_refused(load: Callable[[], LoadedTask]) -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("cnn", "lstm", Size())


def test_digits_are_scored_and_shown() -> None:
    data = spoken()
    scores = np.eye(10)[data.test.row_targets] * 9
    assert data.score(scores, data.test)["accuracy"] == 1
    scores[0] = np.roll(scores[0], 1)
    matrix, missed = data.exhibits(scores, data.test, {})
    counts = np.array(matrix.tables["counts"])
    assert (matrix.kind, counts.sum(), np.trace(counts)) == ("confusion", 300, 299)
    assert counts[0, 1] == 1
    assert missed.name == "zero, heard as one"
    picture = np.array(missed.tables["log-mel energies"])
    assert picture.shape == (24, int(data.test.inputs.lengths[0]))
    assert (picture.min(), picture.max()) == (0, 1)


# strings


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


def test_a_pause_is_no_digital_silence() -> None:
    data = strings()
    for row in range(len(data.test)):
        frames = data.test.inputs[row]
        assert np.mean(np.all(frames == frames.min(), axis=1)) < 0.02


def test_labels_are_the_digits_plus_one_of_the_clips_named() -> None:
    data = strings()
    for row, names in enumerate(data.clips):
        assert data.test.sequence_targets[row].tolist() == [int(name[0]) + 1 for name in names]
        assert {int(name.rsplit("_", 1)[1]) for name in names} <= set(range(5))
    assert [len(split) for split in (data.train, data.validation, data.test)] == [40, 4, 8]
    assert data.target_vocabulary == LABELS
    assert not data.train.aligned


@pytest.mark.parametrize(
    ("labels", "frames"), [([1, 2, 3], 3), ([1, 1, 1], 5), ([4, 4, 2, 2, 2], 8), ([7], 1)]
)
def test_ctc_needs_a_blank_between_equal_labels(labels: list[int], frames: int) -> None:
    assert frames_needed(np.array(labels)) == frames


def test_strings_that_ctc_could_not_write_are_refused() -> None:
    with pytest.raises(RequestError, match="hop_ms"):
        load_task(LoadedSpeechStrings, STRINGS, "tones", **string_options(hop_ms=400))


@pytest.mark.parametrize("count", [9, True, 40.0])
def test_too_few_strings_are_refused(count: Scalar) -> None:
    with pytest.raises(RequestError, match="strings"):
        load_task(LoadedSpeechStrings, STRINGS, "tones", **string_options(strings=count))


def test_strings_ask_for_ctc() -> None:
    model = strings().model("plain", "lstm", Size(hidden=5))
    assert (model.loss, model.readout, model.head) == ("ctc", "steps", Dense(11))
    assert model.has_sequence_targets


def test_word_errors_are_counted_over_all_words() -> None:
    data = strings()
    perfect = written(data)
    count = int((perfect > 0).sum())
    assert data.score(perfect, data.test)["word_error_rate"] == 0
    assert data.score(perfect, data.test)["exact_match"] == 1
    wrong = np.pad(perfect, ((0, 0), (0, 3)))
    wrong[0, 0] = wrong[0, 0] % 10 + 1  # another word
    last = int((perfect[1] > 0).sum())
    wrong[1, last - 1] = 0  # a word less
    wrong[2, MOST] = 0
    last = int((perfect[2] > 0).sum())
    wrong[2, last : last + 2] = wrong[2, last - 1]  # two words more
    found = data.score(wrong, data.test)
    assert found["word_error_rate"] == pytest.approx(4 / count)
    assert found["substitutions"] == pytest.approx(1 / count)
    assert found["deletions"] == pytest.approx(1 / count)
    assert found["insertions"] == pytest.approx(2 / count)
    assert found["exact_match"] == pytest.approx(5 / 8)


def test_writing_nothing_is_all_deletions() -> None:
    data = strings()
    found = data.score(np.zeros((8, 1), np.int32), data.test)
    assert (found["word_error_rate"], found["deletions"], found["exact_match"]) == (1, 1, 0)


def test_a_constant_string_is_hardly_right() -> None:
    assert 0.6 < strings().baselines["constant"]["word_error_rate"] <= 1


def test_strings_are_shown_beside_the_truth() -> None:
    data = strings()
    labels = written(data)
    labels[1, 0] = 10 if labels[1, 0] != 10 else 9
    picture, first, second, *_ = data.exhibits(labels, data.test, {})
    assert picture.kind == "picture"
    assert first.lines["target"] == first.lines["prediction"]
    assert second.lines["target"][1:] == second.lines["prediction"][1:]
    assert second.lines["target"][0] != second.lines["prediction"][0]
    assert second.lines["source"] == list(data.clips[1])
    part = data.test.select(np.array([5, 1]))
    shown = data.exhibits(labels[[5, 1]], part, {})
    assert [exhibit.name for exhibit in shown[1:]] == ["string 6", "string 2"]


# real data


@pytest.mark.data
def test_fsdd_is_the_real_one() -> None:
    need_files(DIGIT)
    data = load_task(LoadedSpeech, DIGIT, "fsdd")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [2400, 300, 300]
    for split, each in ((data.train, 240), (data.validation, 30), (data.test, 30)):
        assert np.bincount(split.row_targets).tolist() == [each] * 10
    assert 20 < data.train.inputs.lengths.mean() < 40
    assert data.baselines["average_spectrum"]["accuracy"] > 0.9


@pytest.mark.data
@pytest.mark.parametrize("speaker", [0, 4])
def test_a_speaker_of_fsdd_can_be_held_out(speaker: int) -> None:
    need_files(DIGIT)
    data = load_task(LoadedSpeech, DIGIT, "fsdd", split="speaker", speaker=speaker)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [2250, 250, 500]


@pytest.mark.data
def test_strings_of_fsdd_keep_to_their_split() -> None:
    need_files(DIGIT)
    data = load_task(LoadedSpeechStrings, STRINGS, "fsdd", **string_options(strings=100))
    names = {name for string in data.clips for name in string}
    assert {int(name.rsplit("_", 1)[1]) for name in names} == set(range(5))
    assert all(len({name.split("_")[1] for name in string}) == 1 for string in data.clips)
