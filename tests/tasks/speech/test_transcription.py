"""Strings of digits, written down."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.speech import DIGIT, STRINGS, string_options, strings, written
from fixtures.tasks import load_task, need_files

from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Scalar, Size
from benchsuite_speech.strings import MOST
from benchsuite_speech.transcription import LABELS, LoadedSpeechStrings


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


@pytest.mark.data
def test_strings_of_fsdd_keep_to_their_split() -> None:
    need_files(DIGIT)
    data = load_task(LoadedSpeechStrings, STRINGS, "fsdd", **string_options(strings=100))
    names = {name for string in data.clips for name in string}
    assert {int(name.rsplit("_", 1)[1]) for name in names} == set(range(5))
    assert all(len({name.split("_")[1] for name in string}) == 1 for string in data.clips)
