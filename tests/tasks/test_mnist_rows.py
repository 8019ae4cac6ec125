import subprocess
import sys

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files

import benchsuite_mnist_rows
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Convolutional, Dense, Features, Rbf, Recurrent, Scalar, Size
from benchsuite_mnist_rows.task import LoadedMnistRows

(ENTRY,) = benchsuite_mnist_rows.benchsuite_register_tasks()
VIEWS = {"rows": (8, 8), "columns": (8, 8), "pixels": (64, 1), "permuted": (64, 1)}


def digits(**given: Scalar) -> LoadedMnistRows:
    return load_task(LoadedMnistRows, ENTRY, "digits", **given)


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_mnist_rows as m; m.benchsuite_register_tasks();"
        "print([n for n in ('sklearn', 'scipy', 'pandas', 'pooch', 'requests') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_digits_hold_every_picture_once_in_proportion() -> None:
    data = digits()
    assert [len(split) for split in (data.train, data.validation, data.test)] == [1258, 270, 269]
    labels = np.concatenate([split.row_targets for split in (data.train, data.validation, data.test)])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.train.inputs.values.dtype == np.float32
    assert (data.train.inputs.values.min(), data.train.inputs.values.max()) == (0.0, 1.0)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_holds_the_same_ink(view: str) -> None:
    upright, data = digits(), digits(view=view)
    assert data.train.inputs[5].shape == VIEWS[view]
    assert data.train.inputs[5].sum() == pytest.approx(upright.train.inputs[5].sum())
    assert np.array_equal(data.train.row_targets, upright.train.row_targets)


def test_views_are_rearrangements_of_the_picture() -> None:
    picture = digits().test.inputs[3]
    assert np.array_equal(digits(view="columns").test.inputs[3], picture.T)
    assert np.array_equal(digits(view="pixels").test.inputs[3], picture.reshape(64, 1))


def test_the_permutation_is_fixed_by_its_seed() -> None:
    first, again, other = (digits(view="permuted", permutation=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.train.inputs.values, again.train.inputs.values)
    assert not np.array_equal(first.train.inputs.values, other.train.inputs.values)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "one"])
def test_a_permutation_that_is_no_seed_is_refused(seed: Scalar) -> None:
    with pytest.raises(RequestError, match="permutation"):
        digits(view="permuted", permutation=seed)


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="digits, mnist"):
        load_task(LoadedMnistRows, ENTRY, "emnist")


@pytest.mark.parametrize(("view", "shape"), VIEWS.items())
@pytest.mark.parametrize("head", ["dense", "rbf"])
def test_models_take_what_the_view_gives(view: str, shape: tuple[int, int], head: str) -> None:
    model = digits(view=view, head=head).model("bidirectional", "gru", Size(hidden=7))
    assert model.input == Features(shape[1])
    assert model.body == Recurrent("gru", 7, 1, bidirectional=True)
    assert model.head == (Rbf(10) if head == "rbf" else Dense(10))
    assert (model.loss, model.readout) == ("cross_entropy", "last")


def test_the_convolutional_baseline_sees_the_picture() -> None:
    model = digits().model("cnn", "none", Size())
    assert model.body == Convolutional(8, 8)


def test_an_architecture_without_use_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        digits().model("tree", "lstm", Size())


def test_scores_and_the_majority_baseline() -> None:
    data = digits()
    truth = np.eye(10)[data.test.row_targets] * 50
    assert data.score(truth, data.test)["accuracy"] == 1.0
    assert data.primary in data.baselines["majority"]
    assert data.baselines["majority"]["accuracy"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.data
@pytest.mark.parametrize("view", ["rows", "permuted"])
def test_mnist_is_the_real_one(view: str) -> None:
    need_files(ENTRY)
    data = load_task(LoadedMnistRows, ENTRY, "mnist", view=view)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [55_000, 5_000, 10_000]
    counts = np.bincount(np.concatenate([data.train.row_targets, data.validation.row_targets]))
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.test.row_targets).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    ink = np.concatenate([data.train.inputs.values.ravel(), data.validation.inputs.values.ravel()])
    assert ink.mean(dtype=np.float64) == pytest.approx(0.13066, abs=5e-6)
    assert data.test.inputs.values.mean(dtype=np.float64) == pytest.approx(0.13251, abs=5e-6)
