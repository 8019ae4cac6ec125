import numpy as np

from benchsuite.contracts import (
    UNREADABLE,
    Dataset,
    Ragged,
    by_start,
    generation_limit,
    known_of,
    text_exhibits,
    written_splits,
    written_texts,
)
from benchsuite.data import END, UNKNOWN, Vocabulary

READ = Vocabulary(("<pad>", "<unk>", "a", "b"))
WRITTEN = Vocabulary(("<pad>", "<unk>", "<s>", "</s>", "x", "y"))
PARTS = [([["a"], ["b", "c"]], [["x", "y"], []]), ([["a", "a"]], [["z"]])]


def test_targets_end_and_unknown_words_are_told() -> None:
    train, test = written_splits(READ, WRITTEN, PARTS)
    assert isinstance(train.targets, Ragged)
    assert isinstance(test.targets, Ragged)
    assert not train.aligned
    assert [train.inputs[row].tolist() for row in range(2)] == [[2], [3, UNKNOWN]]
    assert [train.targets[row].tolist() for row in range(2)] == [[4, 5, END], [END]]
    assert test.targets[0].tolist() == [UNKNOWN, END]


def test_what_is_known_of_a_row_is_found_in_what_is_left_of_its_split() -> None:
    splits = written_splits(READ, WRITTEN, PARTS)
    facts = by_start(splits, [["first", "second"], ["third"]])
    assert known_of(splits[0].select(np.array([1])), facts) == ["second"]
    assert known_of(splits[1], facts) == ["third"]


def test_more_may_be_written_than_was_ever_learnt() -> None:
    train, _ = written_splits(READ, WRITTEN, PARTS)
    assert generation_limit(train) == 9


def test_texts_end_where_they_end() -> None:
    (split,) = written_splits(READ, WRITTEN, [PARTS[0]])
    dataset = Dataset("d", split, split, split, target_vocabulary=WRITTEN.words)
    written = np.array([[4, END, 5], [UNKNOWN, 5, 0], [0, 4, 4]], np.int32)
    assert written_texts(written, dataset, " ".join) == ["x", f"{UNREADABLE} y", ""]


def test_a_dataset_shows_no_text() -> None:
    (split,) = written_splits(READ, WRITTEN, [PARTS[0]])
    words = ("private",)
    dataset = Dataset("d", split, split, split, words, {"a": "private"}, target_vocabulary=words)
    assert "private" not in repr(dataset)


def test_exhibits_show_words_and_the_attention_of_each() -> None:
    (split,) = written_splits(READ, WRITTEN, [PARTS[0]])
    dataset = Dataset("d", split, split, split, vocabulary=READ.words, target_vocabulary=WRITTEN.words)
    written = np.array([[5, END, 0], [4, 4, 4]], np.int32)
    alignment = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    (one,) = text_exhibits(written, split, dataset, {1: alignment})
    assert one.lines == {"source": ["b", "<unk>"], "target": [], "prediction": ["x", "x", "x"]}
    assert one.tables == {"alignment": alignment.tolist()}
    first, second = text_exhibits(written, split, dataset, {})
    assert first.lines == {"source": ["a"], "target": ["x", "y"], "prediction": ["y"]}
    assert not second.tables
