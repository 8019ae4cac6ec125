from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Split
from benchsuite.data import (
    END,
    UNKNOWN,
    UNKNOWN_MARK,
    SequenceToSequence,
    Vocabulary,
    facts_by_start,
    facts_of,
    generation_limit,
    sequence_splits,
)

READ = Vocabulary(("<pad>", "<unk>", "a", "b"))
DECODED = Vocabulary(("<pad>", "<unk>", "<s>", "</s>", "x", "y"))
PARTS = [([["a"], ["b", "c"]], [["x", "y"], []]), ([["a", "a"]], [["z"]])]


@dataclass(frozen=True, kw_only=True)
class Spelling(SequenceToSequence):
    primary = "exact_match"
    higher_is_better = True

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        return {"exact_match": float(len(predictions) == len(split))}


def task(read: tuple[str, ...] = READ.words, decoded: tuple[str, ...] = DECODED.words) -> Spelling:
    (split,) = sequence_splits(READ, DECODED, [PARTS[0]])
    return Spelling(
        name="spelling",
        train=split,
        validation=split,
        test=split,
        vocabulary=read,
        target_vocabulary=decoded,
        artifacts={"a": "private"},
        limit=9,
        attention="additive",
        bidirectional=False,
    )


def test_targets_end_and_unknown_words_are_told() -> None:
    train, test = sequence_splits(READ, DECODED, PARTS)
    assert not train.aligned
    assert [train.inputs[row].tolist() for row in range(2)] == [[2], [3, UNKNOWN]]
    assert [train.sequence_targets[row].tolist() for row in range(2)] == [[4, 5, END], [END]]
    assert test.sequence_targets[0].tolist() == [UNKNOWN, END]


def test_the_facts_of_a_row_are_found_in_what_is_left_of_its_split() -> None:
    splits = sequence_splits(READ, DECODED, PARTS)
    facts = facts_by_start(splits, [["first", "second"], ["third"]])
    assert facts_of(splits[0].select(np.array([1])), facts) == ["second"]
    assert facts_of(splits[1], facts) == ["third"]


def test_more_may_be_generated_than_was_ever_learnt() -> None:
    train, _ = sequence_splits(READ, DECODED, PARTS)
    assert generation_limit(train) == 9


def test_texts_end_where_they_end() -> None:
    decoded = np.array([[4, END, 5], [UNKNOWN, 5, 0], [0, 4, 4]], np.int32)
    assert task().decoded_texts(decoded, " ".join) == ["x", f"{UNKNOWN_MARK} y", ""]


def test_a_task_shows_no_text() -> None:
    assert "private" not in repr(task(("private",), ("private",)))


def test_exhibits_show_words_and_the_attention_of_each() -> None:
    found = task()
    decoded = np.array([[5, END, 0], [4, 4, 4]], np.int32)
    alignment = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    (one,) = found.exhibits(decoded, found.test, {1: alignment})
    assert one.lines == {"source": ["b", "<unk>"], "target": [], "prediction": ["x", "x", "x"]}
    assert one.tables == {"alignment": alignment.tolist()}
    first, second = found.exhibits(decoded, found.test, {})
    assert first.lines == {"source": ["a"], "target": ["x", "y"], "prediction": ["y"]}
    assert not second.tables
