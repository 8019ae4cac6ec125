import subprocess
import sys

import numpy as np
import pytest
from fixtures.tasks import load_task
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_temporal_order
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_temporal_order.sequences import LETTERS, places, sequences
from benchsuite_temporal_order.task import LoadedTemporalOrder

(ENTRY,) = benchsuite_temporal_order.benchsuite_register_tasks()


def load(**given: Scalar) -> LoadedTemporalOrder:
    return load_task(LoadedTemporalOrder, ENTRY, "generated", **{"length": 20, "examples": 50} | given)


def text(ids: np.ndarray) -> str:
    return "".join(LETTERS[index] for index in ids)


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_temporal_order as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'pooch', 'benchsuite_temporal_order.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(("symbols", "classes"), [(2, 4), (3, 8)])
def test_at_the_published_length_the_places_are_the_published_ones(symbols: int, classes: int) -> None:
    split = sequences(5000, 100, symbols, 0)
    assert (split.inputs.lengths.min(), split.inputs.lengths.max()) == (100, 110)
    published = {2: [(10, 20), (50, 60)], 3: [(10, 20), (33, 43), (66, 76)]}[symbols]
    found = np.stack(
        [np.flatnonzero(split.inputs[row] >= LETTERS.index("X")) for row in range(len(split))], axis=1
    )
    assert [(int(steps.min()), int(steps.max())) for steps in found] == published
    np.testing.assert_allclose(np.bincount(split.row_targets) / 5000, 1 / classes, atol=0.025)


@given(st.integers(1, 9), st.integers(10, 60), st.sampled_from([2, 3]), st.integers(0, 2))
def test_the_class_is_the_order_of_x_and_y(count: int, length: int, symbols: int, part: int) -> None:
    split = sequences(count, length, symbols, part)
    assert split.inputs.values.dtype == np.int32
    assert split.row_targets.dtype == np.int32
    for row in range(count):
        letters = text(split.inputs[row])
        assert length <= len(letters) <= 1.1 * length
        assert letters[0] == "E"
        assert letters[-1] == "B"
        relevant = [letter for letter in letters[1:-1] if letter in "XY"]
        assert len(relevant) == symbols
        assert int("".join("01"["XY".index(letter)] for letter in relevant), 2) == split.row_targets[row]
        assert set(letters[1:-1]) <= set("abcdXY")


@given(st.integers(10, 500), st.sampled_from([2, 3]))
def test_places_are_apart_and_inside_the_sequence(length: int, symbols: int) -> None:
    ends = [step for place in places(length, symbols) for step in place]
    assert ends[0] >= 1
    assert ends[-1] < length - 1
    assert all(high < low for high, low in zip(ends[1::2], ends[2::2], strict=False))


def test_the_sequences_are_pinned() -> None:
    data = load()
    assert text(data.train.inputs[0]) == "EcdXaadbdcaXbccbabdacB"
    assert np.array_equal(load().train.inputs.values, data.train.inputs.values)


def test_splits_are_distinct_and_do_not_depend_on_the_size_of_the_training_split() -> None:
    small, large = load(length=100), load(length=100, examples=60)
    assert [len(split) for split in (large.train, large.validation, large.test)] == [60, 1000, 2000]
    assert np.array_equal(small.test.inputs.values, large.test.inputs.values)
    every = {
        text(split.inputs[row])
        for split in (large.train, large.validation, large.test)
        for row in range(len(split))
    }
    assert len(every) == 3060


@pytest.mark.parametrize(("symbols", "classes"), [(2, 4), (3, 8)])
def test_scores_and_the_majority_baseline(symbols: int, classes: int) -> None:
    data = load(symbols=symbols)
    perfect = np.eye(classes)[data.test.row_targets] * 50
    found = data.score(perfect, data.test)
    assert (found["accuracy"], found["lag_solved"]) == (1.0, 15.0)
    perfect[:20] = -perfect[:20]  # 20 of 2,000: just not above 99 %
    found = data.score(perfect, data.test)
    assert (found["accuracy"], found["lag_solved"]) == (0.99, 0.0)
    assert data.baselines["majority"]["accuracy"] == pytest.approx(1 / classes, abs=0.03)


def test_the_lag_is_the_least_distance_of_the_first_symbol_from_the_end() -> None:
    data = load(length=100)
    first = [int(np.argmax(data.test.inputs[row] >= LETTERS.index("X"))) for row in range(len(data.test))]
    assert data.lag == np.min(data.test.inputs.lengths - 1 - np.array(first)) == 79


def test_the_confusion_of_orders_is_shown() -> None:
    data = load()
    always_xy = np.broadcast_to(np.array([0.0, 1.0, 0.0, 0.0]), (2000, 4))
    (shown,) = data.exhibits(always_xy, data.test, {})
    assert shown.lines["classes"] == ["XX", "XY", "YX", "YY"]
    counts = np.array(shown.tables["counts"])
    assert counts[:, 1].tolist() == np.bincount(data.test.row_targets).tolist()
    assert counts.sum() == 2000


def test_the_model_embeds_letters_and_scores_orders() -> None:
    model = load(symbols=3).model("deep", "gru", Size(hidden=7, layers=3, embedding=5))
    assert model.input == Tokens(8, 5)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(8), "cross_entropy", "last")


def test_an_architecture_without_use_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_one() -> None:
    with pytest.raises(UnknownNameError, match="generated"):
        load_task(LoadedTemporalOrder, ENTRY, "published")


@pytest.mark.parametrize("wrong", [{"length": 9}, {"symbols": 4}, {"symbols": 1}, {"examples": 0}])
def test_options_out_of_range_are_refused(wrong: dict[str, Scalar]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load(**wrong)
