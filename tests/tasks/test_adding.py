import subprocess
import sys

import numpy as np
import pytest
from fixtures.tasks import load_task
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_adding
from benchsuite.contracts import Split
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Features, Recurrent, Scalar, Size
from benchsuite_adding.sequences import sequences
from benchsuite_adding.task import LoadedAdding

(ENTRY,) = benchsuite_adding.benchsuite_register_tasks()


def load(**given: Scalar) -> LoadedAdding:
    return load_task(LoadedAdding, ENTRY, "generated", **{"length": 20, "examples": 50} | given)


def dense(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, length, 2) and sums (n,)."""
    return split.inputs.values.reshape(len(split), -1, 2), split.row_targets[:, 0]


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_adding as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'pooch', 'benchsuite_adding.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@given(st.integers(1, 20), st.integers(2, 40), st.integers(0, 2))
def test_one_number_of_each_half_is_marked_and_the_target_is_their_sum(
    count: int, length: int, part: int
) -> None:
    inputs, sums = dense(sequences(count, length, part))
    assert inputs.shape == (count, length, 2)
    assert inputs[:, :, 0].min() >= 0
    assert inputs[:, :, 0].max() <= 1
    half = length // 2
    assert set(np.unique(inputs[:, :, 1])) <= {0.0, 1.0}
    assert np.all(inputs[:, :half, 1].sum(axis=1) == 1)
    assert np.all(inputs[:, half:, 1].sum(axis=1) == 1)
    np.testing.assert_allclose(sums, (inputs[:, :, 0] * inputs[:, :, 1]).sum(axis=1), rtol=1e-6)


def test_every_step_of_a_half_may_be_marked() -> None:
    inputs, _ = dense(sequences(2000, 10, 0))
    np.testing.assert_allclose(inputs[:, :, 1].mean(axis=0), 0.2, atol=0.04)


def test_the_sequences_are_pinned() -> None:
    data = load()
    assert data.train.inputs[0][:3, 0].tolist() == pytest.approx(
        [0.16221306, 0.79522181, 0.02285477], abs=1e-7
    )
    again = load()
    assert np.array_equal(again.train.inputs.values, data.train.inputs.values)


def test_splits_are_distinct_and_do_not_depend_on_the_size_of_the_training_split() -> None:
    small, large = load(), load(examples=60)
    assert [len(split) for split in (large.train, large.validation, large.test)] == [60, 1000, 2000]
    assert np.array_equal(small.test.inputs.values, large.test.inputs.values)
    assert np.array_equal(small.validation.row_targets, large.validation.row_targets)
    rows = np.concatenate([dense(split)[0][:, :, 0] for split in (large.train, large.validation, large.test)])
    assert len(np.unique(rows, axis=0)) == 3060


def test_always_answering_one_errs_by_a_sixth() -> None:
    data = load(length=100)
    constant = data.baselines["constant"]
    assert constant["mse"] == pytest.approx(1 / 6, abs=0.01)
    # |u + v - 1| < .08 for two uniform numbers: 1 - .92 squared
    assert constant["correct"] == pytest.approx(1 - 0.92**2, abs=0.02)
    found = data.score(np.ones_like(data.test.row_targets), data.test)
    assert found == {**constant, "lag_solved": 0.0}


@pytest.mark.parametrize(("length", "lag"), [(20, 10), (21, 11), (2, 1)])
def test_the_lag_is_solved_below_the_criterion(length: int, lag: int) -> None:
    data = load(length=length)
    for error, solved in ((0.0, lag), (0.099, lag), (0.101, 0)):
        found = data.score(data.test.row_targets + np.float32(error), data.test)
        assert found["mse"] == pytest.approx(error**2, abs=1e-6)
        assert found["lag_solved"] == solved
        assert found["correct"] == (error < 0.08)
    inputs, _ = dense(data.test)
    nearest = length - 1 - inputs[:, : length // 2, 1].argmax(axis=1).max()
    assert nearest == lag


def test_the_model_reads_two_channels_and_answers_with_one_number() -> None:
    model = load().model("deep", "gru", Size(hidden=7, layers=3))
    assert model.input == Features(2)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(1), "squared", "last")


def test_an_architecture_without_use_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_one() -> None:
    with pytest.raises(UnknownNameError, match="generated"):
        load_task(LoadedAdding, ENTRY, "published")


@pytest.mark.parametrize("wrong", [{"length": 1}, {"examples": 0}, {"length": 10.5}])
def test_options_out_of_range_are_refused(wrong: dict[str, Scalar]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load(**wrong)
