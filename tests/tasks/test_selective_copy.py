import subprocess
import sys

import numpy as np
import pytest
from fixtures.tasks import load_task
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_selective_copy
from benchsuite.contracts import Split
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_selective_copy.sequences import sequences
from benchsuite_selective_copy.task import LoadedSelectiveCopy

(ENTRY,) = benchsuite_selective_copy.benchsuite_register_tasks()


def load(**given: Scalar) -> LoadedSelectiveCopy:
    """Twelve steps with three letters of four, then the recall."""
    small: dict[str, Scalar] = {"length": 12, "symbols": 3, "letters": 4, "examples": 50}
    return load_task(LoadedSelectiveCopy, ENTRY, "generated", **small | given)


def dense(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, (n, steps) each."""
    return split.inputs.to_dense(), split.step_targets.to_dense()


def scores(ids: np.ndarray, outputs: int = 5) -> np.ndarray:
    """Scores that put all certainty on `ids` (n, steps)."""
    found: np.ndarray = np.eye(outputs, dtype=np.float32)[ids] * 50
    return found


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_selective_copy as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'pooch', 'benchsuite_selective_copy.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@given(st.integers(1, 20), st.integers(6, 20), st.integers(3, 6), st.integers(2, 9), st.integers(0, 2))
def test_the_letters_are_to_be_recalled_in_the_order_they_were_shown_in(
    count: int, length: int, symbols: int, letters: int, part: int
) -> None:
    inputs, targets = dense(sequences(count, length, symbols, letters, part))
    blank, mark = letters, letters + 1
    assert inputs.shape == targets.shape == (count, length + symbols)
    assert inputs.dtype == targets.dtype == np.int32
    assert np.all(inputs[:, length:] == mark)
    assert np.all(targets[:, :length] == blank)
    for row in range(count):
        shown = [letter for letter in inputs[row, :length].tolist() if letter != blank]
        assert len(shown) == symbols
        assert max(shown) < letters
        assert targets[row, length:].tolist() == shown


def test_every_place_and_every_letter_is_as_likely() -> None:
    inputs, _ = dense(sequences(4000, 10, 3, 4, 0))
    np.testing.assert_allclose(np.mean(inputs[:, :10] < 4, axis=0), 0.3, atol=0.03)
    letters = inputs[inputs < 4]
    np.testing.assert_allclose(np.bincount(letters) / len(letters), 0.25, atol=0.015)


def test_the_sequences_are_pinned() -> None:
    data = load()
    assert "".join(data.vocabulary[index] for index in data.train.inputs[0]) == "b_cc________???"
    assert np.array_equal(load().train.inputs.values, data.train.inputs.values)


@pytest.mark.parametrize("given", [{}, {"length": 4, "symbols": 2, "letters": 8}, {"length": 100}])
def test_splits_share_no_sequence_and_do_not_depend_on_the_size_of_the_training_split(
    given: dict[str, Scalar],
) -> None:
    small, large = load(**given), load(**given, examples=2000)
    splits = (large.train, large.validation, large.test)
    assert [len(split) for split in splits] == [2000, 500, 1000]
    assert np.array_equal(small.test.inputs.values, large.test.inputs.values)
    assert np.array_equal(small.validation.inputs.values, large.validation.inputs.values)
    train, validation, test = ({row.tobytes() for row in dense(split)[0]} for split in splits)
    assert len(train | validation | test) == len(train) + len(validation) + len(test)


def test_the_baseline_is_that_without_memory() -> None:
    data = load()
    blank_then_any = np.zeros((1000, 15, 5), np.float32)
    blank_then_any[:, :12, 4] = 50
    blank_then_any[:, 12:, 4] = -50
    found, baseline = data.score(blank_then_any, data.test), data.baselines["without_memory"]
    assert baseline == {"recall_accuracy": 0.25, "cross_entropy": pytest.approx(3 * np.log(4) / 15)}
    assert found["cross_entropy"] == pytest.approx(baseline["cross_entropy"], rel=1e-5)
    assert found["recall_accuracy"] == pytest.approx(0.25, abs=0.02)
    assert found["accuracy"] > 0.8
    assert found["row_accuracy"] < 0.05
    assert found["length_solved"] == 0


def test_the_length_is_solved_above_the_criterion() -> None:
    data = load()
    _, targets = dense(data.test)
    assert data.score(scores(targets), data.test) == {
        "recall_accuracy": 1.0,
        "row_accuracy": 1.0,
        "cross_entropy": pytest.approx(0.0, abs=1e-9),
        "accuracy": 1.0,
        "length_solved": 12.0,
    }
    some_wrong = targets.copy()
    some_wrong[:30, -1] = 4  # 30 of 3,000 letters: just not above 99 %
    found = data.score(scores(some_wrong), data.test)
    assert (found["recall_accuracy"], found["row_accuracy"], found["length_solved"]) == (0.99, 0.97, 0.0)


def test_wrong_answers_while_reading_do_not_count_in_the_recall() -> None:
    data = load()
    _, targets = dense(data.test)
    answers = targets.copy()
    answers[:, :12] = 0
    found = data.score(scores(answers), data.test)
    assert (found["recall_accuracy"], found["accuracy"]) == (1.0, pytest.approx(3 / 15))


def test_the_first_sequences_are_shown() -> None:
    data = load()
    _, targets = dense(data.test)
    answers = targets.copy()
    answers[0, -1] = 4
    first, second = data.exhibits(scores(answers), data.test, {})
    assert [letter for letter in first.lines["source"] if letter not in "_?"] == first.lines["target"]
    assert first.lines["prediction"] == [*first.lines["target"][:2], "_"]
    assert second.lines["prediction"] == second.lines["target"]


def test_many_letters_have_names_of_their_own() -> None:
    vocabulary = load(letters=30).vocabulary
    assert len(set(vocabulary)) == len(vocabulary) == 32


def test_the_model_scores_letters_and_blank_at_every_step() -> None:
    model = load().model("deep", "gru", Size(hidden=7, layers=3, embedding=5))
    assert model.input == Tokens(6, 5)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(5), "cross_entropy", "steps")


def test_an_architecture_without_use_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_one() -> None:
    with pytest.raises(UnknownNameError, match="generated"):
        load_task(LoadedSelectiveCopy, ENTRY, "published")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"length": 0}, "length"),
        ({"symbols": 13}, "13 symbols have no room in a length of 12"),
        ({"letters": 1}, "letters"),
        ({"examples": 0}, "examples"),
        ({"length": 1, "symbols": 1}, "too few different sequences"),
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Scalar], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        load(**wrong)
