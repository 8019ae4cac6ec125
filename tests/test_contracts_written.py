import numpy as np

from benchsuite.contracts import Dataset, Ragged, text_exhibits, written_splits
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


def test_the_start_of_a_target_tells_rows_of_all_splits_apart() -> None:
    splits = written_splits(READ, WRITTEN, PARTS)
    starts = [split.targets.starts.tolist() for split in splits if isinstance(split.targets, Ragged)]
    assert starts == [[0, 3], [4]]
    some = splits[0].select(np.array([1]))
    assert isinstance(some.targets, Ragged)
    assert some.targets.starts.tolist() == [3]


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
