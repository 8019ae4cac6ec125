import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_video
from benchsuite.contracts import LoadedTask, TaskEntry
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Features, Recurrent, Scalar, Size
from benchsuite_video.film import STEP, films, trajectories
from benchsuite_video.metrics import CLIP, frame_metrics, sigmoid
from benchsuite_video.pairs import PAIRS, LoadedVideoPairs, digit_accuracy, pair_classes, pairs_of
from benchsuite_video.task import LoadedVideo

NEXT, PAIR = benchsuite_video.benchsuite_register_tasks()
SMALL: dict[str, Scalar] = {"sequences": 60, "frames": 6, "scale": 2}


def options(**given: Scalar) -> dict[str, Scalar]:
    return SMALL | given


@cache
def moving() -> LoadedVideo:
    return load_task(LoadedVideo, NEXT, "moving_digits", **options())


@cache
def pairs() -> LoadedVideoPairs:
    return load_task(LoadedVideoPairs, PAIR, "moving_digits", **options())


def test_listing_the_tasks_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_video as m; m.benchsuite_register_tasks();"
        "print([n for n in ('sklearn', 'scipy', 'pandas', 'pooch', 'requests') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# the procedure


@given(st.integers(0, 10_000))
def test_digits_move_at_one_speed_and_bounce_off_the_walls(seed: int) -> None:
    path = trajectories(np.random.RandomState(seed), 20, 40)
    assert path.shape == (20, 40, 2)
    assert path.min() >= 0
    assert path.max() <= 1
    steps = np.diff(path, axis=1)
    free = np.all((path[:, 1:] > 0) & (path[:, 1:] < 1) & (path[:, :-1] > 0) & (path[:, :-1] < 1), axis=2)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=2)[free], STEP)
    walls = (path[:, 1:-1] <= 0) | (path[:, 1:-1] >= 1)
    assert np.all(steps[:, :-1][walls] * steps[:, 1:][walls] <= 0)  # what went towards the wall comes back
    inside = free[:, :-1] & free[:, 1:]
    np.testing.assert_allclose(steps[:, :-1][inside], steps[:, 1:][inside], atol=1e-12)


def test_digits_set_out_in_all_directions_from_all_places() -> None:
    path = trajectories(np.random.RandomState(3), 4000, 2)
    np.testing.assert_allclose(path.mean(axis=(0, 1)), 0.5, atol=0.02)
    np.testing.assert_allclose(path.std(axis=(0, 1)), 12**-0.5, atol=0.02)
    directions = np.sign(np.diff(path, axis=1)[:, 0])
    for row in (-1, 1):
        for column in (-1, 1):
            assert np.mean(np.all(directions == [row, column], axis=1)) == pytest.approx(0.25, abs=0.05)


def test_digits_lie_where_their_corners_say() -> None:
    pictures = np.stack([np.full((2, 2), 7), [[1, 0], [0, 9]]]).astype(np.uint8)
    paths = np.array([[[[0.0, 0.0], [1.0, 1.0]], [[0.0, 0.26], [0.99, 0.99]]]])
    frames = films(pictures, np.array([[0, 1]]), paths, side=6, scale=1).reshape(2, 6, 6)
    first, second = np.zeros((6, 6)), np.zeros((6, 6))
    first[:2, :2] = 7
    first[0, 1:3] = [7, 0]  # they overlap, the brighter one is seen
    first[1, 1:3] = [7, 9]
    second[4:, 4:] = 7
    second[3:5, 3:5] = [[1, 0], [0, 9]]
    assert np.array_equal(frames[0], first)
    assert np.array_equal(frames[1], second)


@pytest.mark.parametrize("scale", [2, 4])
def test_frames_shrink_by_the_mean(scale: int) -> None:
    random = np.random.RandomState(0)
    pictures = random.randint(0, 255, (3, 5, 5)).astype(np.uint8)
    chosen, paths = random.randint(3, size=(70, 2)), random.uniform(size=(70, 2, 3, 2))
    whole = films(pictures, chosen, paths, 16, 1).reshape(70, 3, 16, 16)
    small = films(pictures, chosen, paths, 16, scale).reshape(70, 3, 16 // scale, 16 // scale)
    expected = whole.reshape(70, 3, 16 // scale, scale, 16 // scale, scale).mean(axis=(3, 5))
    np.testing.assert_allclose(small, expected, rtol=1e-6)


# both tasks


@pytest.mark.parametrize("entry", [NEXT, PAIR], ids=lambda entry: entry.name)
@pytest.mark.parametrize(
    ("name", "value"),
    [("sequences", 9), ("sequences", True), ("frames", 1), ("frames", 6.0), ("scale", 3), ("scale", 0)],
)
def test_options_without_meaning_are_refused(entry: TaskEntry, name: str, value: Scalar) -> None:
    with pytest.raises(RequestError, match=rf"option {name} of {entry.name}"):
        load_task(LoadedTask, entry, "moving_digits", **options(**{name: value}))


@pytest.mark.parametrize("entry", [NEXT, PAIR], ids=lambda entry: entry.name)
def test_an_unknown_source_names_the_known_ones(entry: TaskEntry) -> None:
    with pytest.raises(UnknownNameError, match="moving_digits, moving_mnist"):
        load_task(LoadedTask, entry, "kth", **options())


def test_both_tasks_show_the_same_films() -> None:
    data = pairs()
    for row in range(len(data.test)):
        assert np.array_equal(data.test.inputs[row][:-1], moving().test.inputs[row])


# the next frame


def test_targets_are_the_frames_after_without_a_copy() -> None:
    data = moving()
    assert [len(split) for split in (data.train, data.validation, data.test)] == [60, 6, 12]
    assert data.train.inputs[0].shape == (5, 256)
    assert data.train.inputs.values.dtype == np.float32
    assert (data.train.inputs.values.min(), data.train.inputs.values.max()) == (0, 1)
    for split in (data.train, data.validation, data.test):
        assert split.step_targets.values is split.inputs.values
        for row in (0, len(split) - 1):
            assert np.array_equal(split.step_targets[row][:-1], split.inputs[row][1:])


def test_the_scale_divides_the_frame() -> None:
    data = load_task(LoadedVideo, NEXT, "moving_digits", **options(scale=4))
    assert (data.side, data.train.inputs.values.shape[1]) == (8, 64)
    whole = load_task(LoadedVideo, NEXT, "moving_digits", **options(scale=1))
    assert whole.train.inputs.values.mean() == pytest.approx(data.train.inputs.values.mean(), rel=1e-5)


def test_the_model_forecasts_every_pixel_at_every_step() -> None:
    model = moving().model("deep", "lstm", Size(hidden=5, layers=3))
    assert (model.input, model.head) == (Features(256), Dense(256))
    assert model.body == Recurrent("lstm", 5, 3)
    assert (model.loss, model.readout) == ("binary_cross_entropy", "steps")


@pytest.mark.parametrize(
    ("architecture", "reason"), [("bidirectional", "to forecast"), ("cnn", "no recurrent stack")]
)
def test_architectures_that_cannot_forecast_are_refused(architecture: str, reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        moving().model(architecture, "gru", Size())


def test_frame_errors_are_sums_over_pixels_and_means_over_frames() -> None:
    random = np.random.RandomState(1)
    scores, truth = random.standard_normal((70, 3, 8)) * 4, random.uniform(size=(70, 3, 8))
    p = 1 / (1 + np.exp(-scores))
    entropy = -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).sum(axis=2).mean()
    found = frame_metrics(scores, truth)
    assert found["frame_cross_entropy"] == pytest.approx(entropy)
    assert found["mse"] == pytest.approx(((p - truth) ** 2).sum(axis=2).mean())


def test_scores_of_any_size_are_safe() -> None:
    huge = np.array([[[1e4, -1e4]]])
    assert sigmoid(huge).tolist() == [[[1, 0]]]
    assert frame_metrics(huge, np.array([[[1.0, 0.0]]])) == {"frame_cross_entropy": 0, "mse": 0}


def test_forecasts_that_cost_nothing() -> None:
    data = moving()
    before = data.test.inputs.padded(np.arange(len(data.test)), 5)
    shares = np.clip(before, CLIP, 1 - CLIP).astype(np.float64)
    last = data.score(np.log(shares / (1 - shares)), data.test)
    assert last == pytest.approx(data.baselines["last_frame"], rel=1e-5)
    mean = data.train.inputs.values.mean(axis=0)
    assert data.baselines["mean_frame"]["mse"] == pytest.approx(
        ((np.clip(mean, CLIP, 1 - CLIP) - _truth(data)) ** 2).sum(axis=2).mean(), rel=1e-4
    )
    bound = data.baselines["true_entropy"]
    assert bound["mse"] < 1e-6
    for name in ("last_frame", "mean_frame"):
        assert data.baselines[name]["frame_cross_entropy"] > bound["frame_cross_entropy"]


def _truth(data: LoadedVideo) -> np.ndarray:
    return data.test.step_targets.padded(np.arange(len(data.test)), 5)


def test_frames_are_shown_beside_the_truth() -> None:
    data = moving()
    scores = np.where(_truth(data) > 0.5, 99.0, -99.0)
    first, *_ = data.exhibits(scores, data.test, {})
    assert first.kind == "picture"
    frames = {name: np.array(table) for name, table in first.tables.items()}
    assert {frame.shape for frame in frames.values()} == {(16, 16)}
    assert np.array_equal(frames["prediction"], frames["truth"] > 0.5)
    np.testing.assert_allclose(frames["frame before"].reshape(-1), data.test.inputs[0][-1], atol=6e-4)


# pairs


def test_there_are_55_unordered_pairs() -> None:
    assert len(PAIRS) == 55
    every = np.array([(a, b) for a in range(10) for b in range(10)])
    classes = pair_classes(every)
    assert np.array_equal(classes, pair_classes(every[:, ::-1]))
    assert sorted(np.bincount(classes)) == [1] * 10 + [2] * 45
    assert all(tuple(sorted(pair)) == PAIRS[index] for pair, index in zip(every, classes, strict=True))


def test_films_of_three_kinds_have_six_pairs() -> None:
    data = load_task(LoadedVideoPairs, PAIR, "moving_digits", **options(kinds=3))
    assert data.classes == ("0 and 0", "0 and 1", "0 and 2", "1 and 1", "1 and 2", "2 and 2")
    assert np.array_equal(pair_classes(np.array([[2, 1], [0, 2], [2, 2]]), 3), [4, 2, 5])
    every = [split.row_targets for split in (data.train, data.validation, data.test)]
    assert set(np.concatenate(every)) <= set(range(len(pairs_of(3))))
    found = data.score(np.eye(6)[data.test.row_targets] * 50, data.test)
    assert (found["accuracy"], found["digit_accuracy"]) == (1, 1)
    assert data.model("plain", "gru", Size(hidden=7)).head == Dense(6)


@given(st.integers(0, 54), st.integers(0, 54))
def test_digit_accuracy_counts_with_repetition(named: int, true: int) -> None:
    left = list(PAIRS[true])
    hits = 0
    for digit in PAIRS[named]:
        if digit in left:
            left.remove(digit)
            hits += 1
    assert digit_accuracy(np.array([named]), np.array([true])) == hits / 2


def test_pairs_are_scored_and_shown() -> None:
    data = pairs()
    found = data.score(np.eye(55)[data.test.row_targets] * 50, data.test)
    assert (found["accuracy"], found["digit_accuracy"]) == (1, 1)
    first, *_ = data.exhibits(np.eye(55)[data.test.row_targets], data.test, {})
    low, high = PAIRS[data.test.row_targets[0]]
    assert first.name == f"{low} and {high}, recognised as {low} and {high}"
    assert [np.array(table).shape for table in first.tables.values()] == [(16, 16)] * 3
    assert data.baselines["majority"]["accuracy"] < 0.2


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_the_model_of_pairs(readout: str) -> None:
    data = load_task(LoadedVideoPairs, PAIR, "moving_digits", **options(readout=readout))
    model = data.model("bidirectional", "gru", Size(hidden=7))
    assert (model.head, model.loss, model.readout) == (Dense(55), "cross_entropy", readout)


# real data


@pytest.mark.data
def test_moving_mnist_is_made_of_mnist() -> None:
    need_files(NEXT)
    data = load_task(LoadedVideoPairs, PAIR, "moving_mnist", **options(scale=1))
    assert data.side == 64
    assert data.train.inputs[0].shape == (6, 4096)
    frames = data.train.inputs.values.reshape(-1, 64, 64)
    assert frames.max() == 1
    assert 0.035 < frames.mean() < 0.06  # two digits of 28 x 28 with a mean of 0.13, less what overlaps
    assert "CC BY-SA" in data.licence
