"""One spoken digit."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.speech import DIGIT, clips, spoken
from fixtures.tasks import load_task, need_files

from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Features, Recurrent, Scalar, Size
from benchsuite_speech.features import LogMel
from benchsuite_speech.task import LoadedSpeech


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
