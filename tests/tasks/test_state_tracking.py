import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from fixtures.tasks import load_task
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_state_tracking
from benchsuite.contracts import Split
from benchsuite.data import unpacked
from benchsuite.errors import RequestError, UnknownNameError, UnsupportedError
from benchsuite.measure.batching import batcher
from benchsuite.measure.conformance.tasks import perfect_predictions
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.provenance import dataset_digest
from benchsuite.measure.training.evaluation import predictions
from benchsuite.plugins import registry
from benchsuite.schema import Dense, Execution, Exhibit, Recipe, Recurrent, Scalar, Size, Tokens
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_state_tracking.groups import Group, cyclic, symmetric
from benchsuite_state_tracking.task import LoadedStateTracking
from benchsuite_state_tracking.words import words

(ENTRY,) = benchsuite_state_tracking.benchsuite_register_tasks()
SMALL: dict[str, Scalar] = {"examples": 50, "longest": 12, "test_length": 20}


def load(source: str = "parity", **given: Scalar) -> LoadedStateTracking:
    return load_task(LoadedStateTracking, ENTRY, source, **SMALL | given)


def perfect(data: LoadedStateTracking, split: Split) -> np.ndarray:
    return perfect_predictions(data.model("plain", "lstm", Size(hidden=4)), split)


def text(data: LoadedStateTracking, ids: np.ndarray) -> list[str]:
    return [data.classes[index] for index in ids]


def rearranged(letters: list[str]) -> list[str]:
    """The products of permutations in one-line notation, place by place and by nothing but names: whoever is at
    place p goes to the p-th digit of the letter."""
    people = range(1, len(letters[0]) + 1)
    places = {person: person for person in people}
    found = []
    for letter in letters:
        places = {person: int(letter[place - 1]) for person, place in places.items()}
        found.append("".join(str(places[person]) for person in people))
    return found


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_state_tracking as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'pooch', 'benchsuite_state_tracking.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(("source", "things"), [("s3", 6), ("s5", 120)])
def test_the_target_is_the_product_of_the_permutations_so_far(source: str, things: int) -> None:
    data = load(source)
    assert len(data.classes) == things
    for split in (data.train, data.validation, data.test):
        for row in range(20):
            assert text(data, split.step_targets[row]) == rearranged(text(data, split.inputs[row]))


def test_a_written_out_product_of_s3() -> None:
    """Swap the first two places, then send each place one further: 1 is at 2 and then at 3, 2 at 1 and then at
    2, 3 stays and then is at 1."""
    group = symmetric(3)
    assert group.names == ("123", "132", "213", "231", "312", "321")
    states = group.states(np.array([[2, 3], [3, 2]], np.int32))
    assert [[group.names[state] for state in row] for row in states] == [["213", "321"], ["231", "132"]]


@pytest.mark.parametrize(("source", "modulus"), [("parity", 2), ("modular_addition", 5)])
def test_the_target_is_the_sum_of_the_numbers_so_far(source: str, modulus: int) -> None:
    data = load(source)
    for split in (data.train, data.validation, data.test):
        for row in range(20):
            so_far, sums = 0, []
            for number in split.inputs[row].tolist():
                so_far = (so_far + number) % modulus
                sums.append(so_far)
            assert split.step_targets[row].tolist() == sums


@pytest.mark.parametrize("group", [cyclic(2), cyclic(9), symmetric(3), symmetric(4)])
def test_the_tables_are_groups_with_the_identity_first(group: Group) -> None:
    table, elements = group.next, np.arange(len(group.names))
    assert np.array_equal(table[0], elements)
    assert np.array_equal(table[:, 0], elements)
    for line in (table, table.T):
        assert np.array_equal(np.sort(line, axis=1), np.broadcast_to(elements, table.shape))
    a, b, c = np.meshgrid(elements, elements, elements, indexing="ij")
    assert np.array_equal(table[table[a, b], c], table[a, table[b, c]])


@given(st.integers(1, 30), st.integers(4, 9), st.integers(0, 9), st.integers(0, 2))
def test_words_are_of_the_lengths_asked_for(count: int, shortest: int, more: int, part: int) -> None:
    split = words(cyclic(5), count, (shortest, shortest + more), part)
    assert len(split) == count
    assert split.inputs.values.dtype == split.step_targets.values.dtype == np.int32
    assert shortest <= split.inputs.lengths.min() <= split.inputs.lengths.max() <= shortest + more
    assert np.array_equal(split.inputs.lengths, split.step_targets.lengths)
    assert 0 <= split.inputs.values.min() <= split.inputs.values.max() < 5


def test_every_length_and_every_state_is_about_as_frequent() -> None:
    split = words(cyclic(3), 8000, (3, 10), 0)
    np.testing.assert_allclose(np.bincount(split.inputs.lengths)[3:] / 8000, 1 / 8, atol=0.02)
    states = split.step_targets.values
    np.testing.assert_allclose(np.bincount(states) / len(states), 1 / 3, atol=0.01)


def test_the_words_are_pinned() -> None:
    data = load("s3")
    assert " ".join(text(data, data.train.inputs[0])) == "321 321 312 123 123 231 231 312"
    assert np.array_equal(load("s3").train.inputs.values, data.train.inputs.values)


@pytest.mark.parametrize("source", ENTRY.sources)
def test_splits_share_no_word_and_do_not_depend_on_the_size_of_the_training_split(source: str) -> None:
    small, large = load(source), load(source, examples=1000)
    splits = (large.train, large.validation, large.test)
    assert [len(split) for split in splits] == [1000, 500, 500]
    assert np.array_equal(small.validation.inputs.values, large.validation.inputs.values)
    assert np.array_equal(small.test.inputs.values, large.test.inputs.values)
    train, validation, test = ({split.inputs[row].tobytes() for row in range(len(split))} for split in splits)
    assert not train & validation
    assert not (train | validation) & test
    assert set(large.test.inputs.lengths) == {20}


def test_too_few_words_to_keep_the_splits_apart_are_refused() -> None:
    with pytest.raises(RequestError, match="too few different sequences"):
        load(shortest=1, longest=1)


def test_scores_within_the_trained_lengths_and_beyond() -> None:
    data = load()
    right = perfect(data, data.test)
    assert data.score(right, data.test) == {
        "accuracy": 1.0,
        "accuracy_trained_lengths": 1.0,
        "accuracy_longer": 1.0,
        "cross_entropy": pytest.approx(0.0, abs=1e-4),
        "length_solved": 20.0,
    }
    wrong = right.copy()
    wrong[:, 15:] *= -1
    found = data.score(wrong, data.test)
    assert found["accuracy"] == pytest.approx(15 / 20)
    assert found["accuracy_trained_lengths"] == 1.0
    assert found["accuracy_longer"] == pytest.approx(3 / 8)
    assert found["length_solved"] == 15.0


def test_a_length_is_solved_above_99_percent_and_with_all_shorter_ones() -> None:
    data = load()
    for wrong_words, solved in ((4, 20.0), (5, 6.0)):
        answers = perfect(data, data.test)
        answers[:wrong_words, 6] *= -1  # of 500 words
        assert data.score(answers, data.test)["length_solved"] == solved


def test_words_of_different_lengths_count_by_their_steps() -> None:
    data = load()
    split = data.validation
    answers = perfect(data, split)
    steps = int(split.inputs.lengths.sum())
    answers[:, 0] *= -1
    found = data.score(answers, split)
    assert found["accuracy"] == found["accuracy_trained_lengths"] == pytest.approx(1 - 500 / steps)
    assert found["length_solved"] == 0.0
    assert "accuracy_longer" not in found


def test_scores_that_are_not_finite_are_wrong() -> None:
    data = load()
    answers = perfect(data, data.test)
    answers[:] = np.nan
    assert data.score(answers, data.test)["accuracy"] == 0.0


@pytest.mark.parametrize(
    ("source", "states"), [("parity", 2), ("modular_addition", 5), ("s3", 6), ("s5", 120)]
)
def test_baselines(source: str, states: int) -> None:
    data = load(source, examples=2000)
    chance, majority = data.baselines["chance"], data.baselines["majority"]
    assert chance == {"accuracy": 1 / states, "cross_entropy": pytest.approx(np.log(states))}
    assert majority["accuracy"] == pytest.approx(1 / states, abs=0.02)
    frequent = np.bincount(data.train.step_targets.values).argmax()
    always = np.zeros((500, 20, states), np.float32)
    always[:, :, frequent] = 1
    assert data.score(always, data.test)["accuracy"] == pytest.approx(majority["accuracy"])
    assert data.score(np.zeros_like(always), data.test)["cross_entropy"] == pytest.approx(np.log(states))


def test_the_curve_of_accuracy_by_length_is_kept() -> None:
    data = load()
    answers = perfect(data, data.test)
    answers[:250, 12:] *= -1
    curve, shown = data.exhibits(answers, data.test, {})
    assert (curve.kind, curve.lines["x"], curve.lines["y"]) == ("curve", ["letters"], ["accuracy"])
    assert curve.name == "accuracy by length, trained on 3 to 12 letters"
    same = load(shortest=12)
    assert same.exhibits(answers, same.test, {})[0].name == "accuracy by length, trained on 12 letters"
    points = curve.tables["accuracy"]
    assert [x for x, _ in points] == list(range(1, 21))
    assert [y for _, y in points] == [1.0] * 12 + [0.5] * 8
    assert shown.lines["source"] == text(data, data.test.inputs[0])
    differ = [a != b for a, b in zip(shown.lines["target"], shown.lines["prediction"], strict=True)]
    assert differ == [False] * 12 + [True] * 8


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("parity", "minGRU"),
        ("modular_addition", "power of two"),
        ("s3", "sign of a product"),
        ("s5", "TC0 = NC1"),
    ],
)
def test_what_theory_says_goes_with_the_curve(source: str, said: str) -> None:
    data = load(source)
    (note,) = data.exhibits(perfect(data, data.test), data.test, {})[0].lines["note"]
    assert said in note
    assert "arXiv" in note


def test_the_prefix_of_a_word_has_the_states_of_the_word() -> None:
    """Why accuracy at a step is accuracy at a length."""
    group = symmetric(4)
    word = np.random.RandomState(0).randint(24, size=(1, 30)).astype(np.int32)
    whole = group.states(word)
    for short, longer in pairwise(range(1, 31)):
        assert np.array_equal(group.states(word[:, :short]), whole[:, :short])
        assert whole[0, longer - 1] == group.next[whole[0, short - 1], word[0, short]]


def test_the_model_scores_states_at_every_step() -> None:
    model = load("s3").model("deep", "gru", Size(hidden=7, layers=3, embedding=5))
    assert model.input == Tokens(6, 5)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(6), "cross_entropy", "steps")


@pytest.mark.parametrize("architecture", ["attention", "bidirectional"])
def test_an_architecture_without_use_is_refused(architecture: str) -> None:
    assert architecture not in ENTRY.architectures
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="modular_addition"):
        load("s4")


@pytest.mark.parametrize(
    ("source", "wrong", "said"),
    [
        ("parity", {"shortest": 0}, "shortest"),
        ("parity", {"shortest": 13}, "shortest is 13, longest 12"),
        ("parity", {"test_length": 12}, "test_length must be more than longest"),
        ("parity", {"examples": 0}, "examples"),
        ("parity", {"modulus": 3}, "no meaning for source parity"),
        ("s3", {"modulus": 3}, "no meaning for source s3"),
        ("modular_addition", {"modulus": 1}, "modulus"),
    ],
)
def test_options_that_mean_nothing_are_refused(source: str, wrong: dict[str, Scalar], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        load(source, **wrong)


CELLS = ("lstm", "rnn", "steadied", "opening", "rotation", "mingru", "slstm")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.usefixtures("example_cells")
def test_metrics_of_packed_words_are_those_of_words_in_rows_of_their_own(cell: str) -> None:
    """To the last digits, for the same weights: sums over words are taken in another order."""
    registry()
    given: dict[str, Scalar] = {"modulus": 3, "longest": 12, "test_length": 20, "examples": 60}
    entry_options = [given, given | {"packed": 41}]
    found: list[tuple[dict[str, float], list[Exhibit]]] = []
    for options in entry_options:
        data = load_task(LoadedStateTracking, ENTRY, "modular_addition", **options)
        model = data.model("plain", cell, Size(hidden=5, embedding=3))
        program = NumpyBackend().build(
            model, initial_parameters(model, 0, "float64", Recipe()), Recipe(), Execution(precision="float64")
        )
        cut = batcher(data.train, [data.validation, data.test], 8, "float64")
        for split in (data.train, data.validation, data.test):
            scores = predictions(program, cut, split)
            found.append((data.score(scores, split), data.exhibits(scores, split, {})))
    for (alone, shown), (together, packed_shown) in zip(found[:3], found[3:], strict=True):
        assert together == pytest.approx(alone, rel=1e-12)
        assert packed_shown[1].lines == shown[1].lines
        curve, packed_curve = (np.array(each[0].tables["accuracy"]) for each in (shown, packed_shown))
        np.testing.assert_allclose(packed_curve, curve, rtol=1e-12)


def test_packed_splits_hold_the_same_words() -> None:
    alone, together = load("s3"), load("s3", packed=41)
    for name in ("train", "validation", "test"):
        split, rows = getattr(alone, name), getattr(together, name)
        assert len(rows) < len(split)
        assert rows.inputs.lengths.max() <= 41
        _, words = unpacked(np.zeros((len(rows), 41, 6)), rows)
        assert sorted(words.inputs[row].tolist() for row in range(len(words))) == sorted(
            split.inputs[row].tolist() for row in range(len(split))
        )
        assert all(
            text(together, words.step_targets[row]) == rearranged(text(together, words.inputs[row]))
            for row in range(len(words))
        )
    assert together.model("plain", "gru", Size()).resets
    assert not alone.model("plain", "gru", Size()).resets
    assert together.baselines == alone.baselines
    assert dataset_digest(together) != dataset_digest(alone)


def test_a_test_word_that_is_longer_than_a_packed_row_has_a_row_of_its_own() -> None:
    data = load(packed=15)
    assert data.train.inputs.lengths.max() <= 15
    assert len(data.test) == 500
    assert set(data.test.inputs.lengths) == {20}


def test_packed_rows_have_room_for_the_longest_word() -> None:
    with pytest.raises(RequestError, match=r"packed is 11 and longest 12.*use 12 or more, or 0"):
        load(packed=11)
