import subprocess
import sys

import numpy as np
import pytest
from fixtures.tasks import load_task
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_copy
from benchsuite.contracts import Split
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_copy.sequences import BLANK, DELIMITER, sequences
from benchsuite_copy.task import LoadedCopy

(ENTRY,) = benchsuite_copy.benchsuite_register_tasks()


def load(**given: Scalar) -> LoadedCopy:
    return load_task(LoadedCopy, ENTRY, "generated", **{"length": 12, "symbols": 3, "examples": 50} | given)


def dense(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, (n, T) each."""
    return split.inputs.values.reshape(len(split), -1), split.step_targets.values.reshape(len(split), -1)


def scores(targets: np.ndarray) -> np.ndarray:
    """(n, T, 9) float32, sure of `targets`."""
    sure: np.ndarray = (np.eye(BLANK + 1, dtype=np.float32) * 50)[targets]
    return sure


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_copy as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'pooch', 'benchsuite_copy.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@given(st.integers(1, 9), st.integers(1, 30), st.integers(1, 12), st.integers(0, 2))
def test_sequences_are_those_of_the_paper(count: int, length: int, symbols: int, part: int) -> None:
    inputs, targets = dense(sequences(count, length, symbols, part))
    assert inputs.shape == targets.shape == (count, length + 2 * symbols)
    assert inputs.dtype == targets.dtype == np.int32
    assert np.all(inputs[:, :symbols] < BLANK)
    assert np.all(inputs[:, symbols : symbols + length - 1] == BLANK)
    assert np.all(inputs[:, symbols + length - 1] == DELIMITER)
    assert np.all(inputs[:, -symbols:] == BLANK)
    assert np.all(targets[:, :-symbols] == BLANK)
    assert np.array_equal(targets[:, -symbols:], inputs[:, :symbols])


def test_the_sequences_are_pinned() -> None:
    data = load()
    assert "".join(data.vocabulary[index] for index in data.train.inputs[0]) == "afa___________?___"
    assert np.array_equal(load().train.inputs.values, data.train.inputs.values)


def test_splits_are_distinct_and_do_not_depend_on_the_size_of_the_training_split() -> None:
    small, large = load(symbols=10), load(symbols=10, examples=60)
    assert [len(split) for split in (large.train, large.validation, large.test)] == [60, 500, 1000]
    assert np.array_equal(small.test.inputs.values, large.test.inputs.values)
    rows = np.concatenate([dense(split)[0] for split in (large.train, large.validation, large.test)])
    assert len(np.unique(rows, axis=0)) == 1560


def test_the_baseline_is_that_of_the_paper() -> None:
    """Blank for sure until the delimiter, then every letter alike."""
    data = load(length=100, symbols=10)
    blank_then_any = np.zeros((1000, 120, 9), np.float32)
    blank_then_any[:, :-10, BLANK] = 50
    blank_then_any[:, -10:, BLANK] = -50
    found, baseline = data.score(blank_then_any, data.test), data.baselines["without_memory"]
    assert baseline["cross_entropy"] == pytest.approx(10 * np.log(8) / 120)
    assert found["cross_entropy"] == pytest.approx(baseline["cross_entropy"], rel=1e-5)
    assert found["recall_accuracy"] == pytest.approx(baseline["recall_accuracy"], abs=0.01)
    assert found["accuracy"] > 0.9
    assert found["lag_solved"] == 0


def test_the_lag_is_solved_above_the_criterion() -> None:
    data = load()
    _, targets = dense(data.test)
    perfect = data.score(scores(targets), data.test)
    assert perfect == {
        "cross_entropy": pytest.approx(0.0, abs=1e-9),
        "accuracy": 1.0,
        "recall_accuracy": 1.0,
        "row_accuracy": 1.0,
        "lag_solved": 15.0,
    }
    some_wrong = targets.copy()
    some_wrong[:30, -1] = BLANK  # 30 of 3,000 letters: just not above 99 %
    found = data.score(scores(some_wrong), data.test)
    assert (found["recall_accuracy"], found["lag_solved"]) == (0.99, 0.0)


def test_the_first_sequences_are_shown() -> None:
    data = load()
    inputs, targets = dense(data.test)
    answers = targets.copy()
    answers[0, -1] = BLANK
    first, second = data.exhibits(scores(answers), data.test, {})
    assert len(first.lines["source"]) == inputs.shape[1]
    assert first.lines["target"] == first.lines["source"][:3]
    assert first.lines["prediction"] == [*first.lines["target"][:2], "_"]
    assert second.lines["prediction"] == second.lines["target"]


def test_the_model_scores_letters_and_blank_at_every_step() -> None:
    model = load().model("deep", "gru", Size(hidden=7, layers=3, embedding=5))
    assert model.input == Tokens(10, 5)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(9), "cross_entropy", "steps")


def test_an_architecture_without_use_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_one() -> None:
    with pytest.raises(UnknownNameError, match="generated"):
        load_task(LoadedCopy, ENTRY, "published")


@pytest.mark.parametrize("wrong", [{"length": 0}, {"symbols": 0}, {"examples": 0}, {"length": True}])
def test_options_out_of_range_are_refused(wrong: dict[str, Scalar]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load(**wrong)
