"""What the author of this task tests, on generated names: no download. Run it where the plugin is installed."""

from __future__ import annotations

import os

import numpy as np
import pytest
from benchsuite_example_names import NAMES
from benchsuite_example_names.ngrams import baselines
from benchsuite_example_names.task import MARK, SYMBOLS

from benchsuite.contracts import LoadedTask, Ragged, Split
from benchsuite.plugins import registry
from benchsuite.pytest_plugin.kits import TaskKit
from benchsuite.schema import Size


class TestNames(TaskKit):
    """benchsuite's own kit, on every source that is here."""

    name = "names"


def load(source: str = "generated", names: int = 200) -> LoadedTask:
    entry = registry().task("names")
    return entry.load().load(source, entry.complete({"names": names}))


def splits(task: LoadedTask) -> tuple[Split, Split, Split]:
    return task.train, task.validation, task.test


def spelled(split: Split) -> list[str]:
    return ["".join(SYMBOLS[letter] for letter in split.inputs[row][1:]) for row in range(len(split))]


def test_the_plugin_is_found_with_its_file() -> None:
    owner = registry().owners["task:names"]
    assert (owner.name, owner.distribution, owner.version) == ("names", "benchsuite-example-names", "1.0.0")
    assert not owner.problem
    assert registry().task("names").files == (NAMES,)
    assert NAMES.licence.startswith("MIT")


def test_no_name_is_in_two_splits_and_none_is_lost() -> None:
    names = [name for split in splits(load()) for name in spelled(split)]
    assert len(names) == len(set(names)) == 200


def test_a_target_is_the_next_letter_and_at_last_the_mark() -> None:
    for split in splits(load()):
        for row in range(len(split)):
            read, asked = split.inputs[row], split.step_targets[row]
            assert read[0] == MARK == asked[-1]
            np.testing.assert_array_equal(read[1:], asked[:-1])


def test_equal_arguments_give_equal_data() -> None:
    for one, other in zip(splits(load()), splits(load()), strict=True):
        assert one.inputs.values.tobytes() == other.inputs.values.tobytes()


def test_uniform_scores_take_the_logarithm_of_the_symbols() -> None:
    task = load()
    split = task.test
    scores = np.zeros((len(split), int(split.inputs.lengths.max()), len(SYMBOLS)))
    assert task.score(scores, split)["bits_per_character"] == pytest.approx(np.log2(27))
    assert task.baselines["uniform"]["bits_per_character"] == pytest.approx(np.log2(27))


def test_scores_on_padding_count_for_nothing() -> None:
    task = load()
    split = task.test
    scores = np.random.RandomState(0).normal(size=(len(split), int(split.inputs.lengths.max()), len(SYMBOLS)))
    changed = scores.copy()
    changed[np.arange(scores.shape[1]) >= split.inputs.lengths[:, None]] = 9.0
    assert task.score(scores, split) == task.score(changed, split)


def test_certain_scores_of_the_targets_take_no_bits() -> None:
    task = load()
    split = task.test
    scores = np.zeros((len(split), int(split.inputs.lengths.max()), len(SYMBOLS)))
    for row in range(len(split)):
        scores[row, np.arange(split.inputs.lengths[row]), split.step_targets[row]] = 100.0
    found = task.score(scores, split)
    assert found["bits_per_character"] == pytest.approx(0, abs=1e-12)
    assert found["accuracy"] == 1


def test_more_letters_before_make_a_better_guess() -> None:
    bits = {name: metrics["bits_per_character"] for name, metrics in load(names=2000).baselines.items()}
    assert bits["uniform"] > bits["letter frequencies"] > bits["two letters"]


def test_a_guess_by_two_letters_counts_what_follows_each() -> None:
    text = Ragged.from_sequences([np.array([1, 2, 0], np.int32)] * 1000)
    found = baselines(text, text, len(SYMBOLS))
    assert found["two letters"]["bits_per_character"] < 0.01
    assert found["letter frequencies"]["bits_per_character"] == pytest.approx(np.log2(3), abs=0.01)


def test_a_curve_shows_every_place_of_a_name() -> None:
    task = load()
    longest = int(task.test.inputs.lengths.max())
    scores = np.zeros((len(task.test), longest, len(SYMBOLS)))
    (curve,) = task.exhibits(scores, task.test, {})
    assert [x for x, _ in curve.tables["model"]] == list(range(1, longest + 1))


def test_a_model_that_reads_backwards_would_see_what_it_is_asked_for() -> None:
    assert registry().task("names").architectures == ("plain", "deep")
    model = load().model("plain", "gru", Size(hidden=8, embedding=8, tied=True))
    assert (model.readout, model.head.outputs) == ("steps", len(SYMBOLS))


@pytest.mark.skipif(not os.environ.get("BENCHSUITE_DATA"), reason="needs the downloaded file")
def test_the_real_file_has_the_names_it_is_known_for() -> None:
    task = load("makemore")
    assert [len(split) for split in splits(task)] == [23595, 2950, 2949]
    assert task.licence == NAMES.licence
    lengths = np.concatenate([split.inputs.lengths for split in splits(task)])
    assert (lengths.min(), lengths.max()) == (3, 16)
