import subprocess
import sys

import numpy as np
import pytest
from fixtures.tasks import load_task
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_associative_recall
from benchsuite.contracts import Split
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_associative_recall.sequences import sequences
from benchsuite_associative_recall.task import LoadedAssociativeRecall

(ENTRY,) = benchsuite_associative_recall.benchsuite_register_tasks()


def load(**given: Scalar) -> LoadedAssociativeRecall:
    """Three pairs of six keys and six values, in twelve steps."""
    small: dict[str, Scalar] = {"pairs": 3, "length": 12, "vocabulary": 12, "examples": 50}
    return load_task(LoadedAssociativeRecall, ENTRY, "generated", **small | given)


def dense(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, (n, steps) each."""
    return split.inputs.to_dense(), split.step_targets.to_dense()


def scores(ids: np.ndarray, outputs: int = 7) -> np.ndarray:
    """Scores that put all certainty on `ids` (n, steps)."""
    found: np.ndarray = np.eye(outputs, dtype=np.float32)[ids] * 50
    return found


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_associative_recall as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'benchsuite_associative_recall.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@given(st.integers(1, 20), st.integers(2, 6), st.integers(0, 9), st.integers(0, 6), st.integers(0, 2))
def test_the_answer_to_a_query_is_the_value_shown_with_its_key(
    count: int, pairs: int, more_steps: int, more_values: int, part: int
) -> None:
    values, length = pairs + more_values + 3, 3 * pairs + more_steps
    inputs, targets = dense(sequences(count, length, pairs, values, part))
    assert inputs.shape == targets.shape == (count, length)
    assert inputs.dtype == targets.dtype == np.int32
    filler = blank = None
    for row in range(count):
        source, wanted = inputs[row].tolist(), targets[row].tolist()
        meaning = dict(zip(source[: 2 * pairs : 2], source[1 : 2 * pairs : 2], strict=True))
        assert len(meaning) == len(set(meaning.values())) == pairs
        assert all(0 <= key < values <= value < 2 * values for key, value in meaning.items())
        assert set(wanted[: 2 * pairs]) == {values}
        asked = []
        for key, answer in zip(source[2 * pairs :], wanted[2 * pairs :], strict=True):
            if key in meaning:
                asked.append(key)
                assert answer == meaning[key] - values
            else:
                filler, blank = key, answer
                assert (filler, blank) == (2 * values, values)
        assert sorted(asked) == sorted(meaning)


def test_every_step_is_as_likely_to_ask_and_every_key_and_value_to_be_shown() -> None:
    inputs, targets = dense(sequences(4000, 16, 3, 6, 0))
    np.testing.assert_allclose(np.mean(targets[:, 6:] < 6, axis=0), 0.3, atol=0.03)
    for place in (inputs[:, 0], inputs[:, 4], inputs[:, 1] - 6, inputs[:, 5] - 6):
        np.testing.assert_allclose(np.bincount(place) / 4000, 1 / 6, atol=0.02)


def test_the_sequences_are_pinned() -> None:
    data = load()
    assert (
        " ".join(data.vocabulary[index] for index in data.train.inputs[0])
        == "k5 v1 k0 v0 k1 v2 _ k1 _ k0 k5 _"
    )
    assert np.array_equal(load().train.inputs.values, data.train.inputs.values)


def test_sequences_are_the_same_however_many_numbers_are_sorted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = dense(sequences(40, 12, 3, 6, 0))
    monkeypatch.setattr("benchsuite_associative_recall.sequences._AT_ONCE", 20)
    for one, other in zip(whole, dense(sequences(40, 12, 3, 6, 0)), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("given", [{}, {"pairs": 2, "length": 6, "vocabulary": 10}, {"length": 64}])
def test_splits_share_no_sequence_and_do_not_depend_on_the_size_of_the_training_split(
    given: dict[str, Scalar],
) -> None:
    small, large = load(**given), load(**given, examples=2000)
    splits = (large.train, large.validation, large.test)
    assert [len(split) for split in splits] == [2000, 500, 500]
    assert np.array_equal(small.test.inputs.values, large.test.inputs.values)
    assert np.array_equal(small.validation.inputs.values, large.validation.inputs.values)
    train, validation, test = ({row.tobytes() for row in dense(split)[0]} for split in splits)
    assert len(train | validation | test) == len(train) + len(validation) + len(test)


def test_the_baselines_are_those_without_memory() -> None:
    data = load()
    _, targets = dense(data.test)
    alike = np.where((targets < 6)[:, :, None], np.array([0.0] * 6 + [-50.0]), np.array([0.0] * 6 + [50.0]))
    found, baseline = data.score(alike.astype(np.float32), data.test), data.baselines["without_memory"]
    assert baseline == {"recall_accuracy": 1 / 6, "cross_entropy": pytest.approx(3 * np.log(6) / 12)}
    assert found["cross_entropy"] == pytest.approx(baseline["cross_entropy"], rel=1e-5)
    assert found["recall_accuracy"] == pytest.approx(1 / 6, abs=0.03)
    inputs, _ = dense(data.test)
    first_shown = np.broadcast_to(inputs[:, 1:2] - 6, targets.shape)
    found = data.score(scores(first_shown), data.test)
    assert found["recall_accuracy"] == pytest.approx(data.baselines["any_value_shown"]["recall_accuracy"])


def test_pairs_are_solved_above_the_criterion() -> None:
    data = load()
    _, targets = dense(data.test)
    assert data.score(scores(targets), data.test) == {
        "recall_accuracy": 1.0,
        "cross_entropy": pytest.approx(0.0, abs=1e-9),
        "accuracy": 1.0,
        "row_accuracy": 1.0,
        "pairs_solved": 3.0,
    }
    for wrong_rows, solved in ((14, 3.0), (15, 0.0)):  # of 1,500 queries: just above 99 %, and just not
        answers = targets.copy()
        rows = np.arange(wrong_rows)
        answers[rows, (targets[rows] < 6).argmax(axis=1)] = 6
        found = data.score(scores(answers), data.test)
        assert found["recall_accuracy"] == pytest.approx(1 - wrong_rows / 1500)
        assert found["pairs_solved"] == solved


def test_steps_without_a_query_do_not_count_in_the_recall() -> None:
    data = load()
    _, targets = dense(data.test)
    found = data.score(scores(np.where(targets < 6, targets, 0)), data.test)
    assert (found["recall_accuracy"], found["accuracy"]) == (1.0, pytest.approx(3 / 12))


def test_the_first_sequences_are_shown() -> None:
    data = load()
    _, targets = dense(data.test)
    answers = targets.copy()
    answers[0, (targets[0] < 6).argmax()] = 6
    first, second = data.exhibits(scores(answers), data.test, {})
    shown = dict(zip(first.lines["source"][:6:2], first.lines["source"][1:6:2], strict=True))
    asked = [key for key in first.lines["source"][6:] if key != "_"]
    assert first.lines["target"] == [shown[key] for key in asked]
    assert first.lines["prediction"] == ["_", *first.lines["target"][1:]]
    assert second.lines["prediction"] == second.lines["target"]


def test_the_model_scores_values_and_blank_at_every_step() -> None:
    model = load().model("deep", "gru", Size(hidden=7, layers=3, embedding=5))
    assert model.input == Tokens(13, 5)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(7), "cross_entropy", "steps")


def test_an_architecture_without_use_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_one() -> None:
    with pytest.raises(UnknownNameError, match="generated"):
        load_task(LoadedAssociativeRecall, ENTRY, "published")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pairs": 0}, "pairs"),
        ({"pairs": 5}, "5 pairs and their queries need 15 steps; length is 12"),
        ({"vocabulary": 5}, "3 pairs need as many different keys; a vocabulary of 5 has 2"),
        ({"examples": 0}, "examples"),
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Scalar], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        load(**wrong)
