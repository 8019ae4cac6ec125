import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.data import PADDING, UNKNOWN, Vocabulary

documents = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=8)


def test_ids_follow_frequency_then_the_alphabet() -> None:
    vocabulary = Vocabulary.build([["b", "a", "c"], ["c", "b"], ["c"]])
    assert vocabulary.words == ("<pad>", "<unk>", "c", "b", "a")
    assert (vocabulary.ids["<pad>"], vocabulary.ids["<unk>"]) == (PADDING, UNKNOWN)


def test_rare_words_and_words_beyond_the_size_are_unknown() -> None:
    seen = [["a", "a", "a", "b", "b", "c"]]
    assert Vocabulary.build(seen, min_count=2).words == ("<pad>", "<unk>", "a", "b")
    assert Vocabulary.build(seen, size=3).words == ("<pad>", "<unk>", "a")
    values, lengths = Vocabulary.build(seen, size=3).encode([["a", "b"], ["zebra"]])
    assert values.tolist() == [2, UNKNOWN, UNKNOWN]
    assert lengths.tolist() == [2, 1]


@given(documents)
def test_encoding_is_flat_lossless_and_never_padding(texts: list[list[str]]) -> None:
    vocabulary = Vocabulary.build(texts)
    values, lengths = vocabulary.encode(texts)
    assert (values.dtype, lengths.dtype) == (np.dtype(np.int32), np.dtype(np.int64))
    assert [vocabulary.words[index] for index in values] == [word for text in texts for word in text]
    assert lengths.tolist() == [len(text) for text in texts]
    assert PADDING not in values


@given(documents)
def test_the_order_of_documents_does_not_matter(texts: list[list[str]]) -> None:
    assert Vocabulary.build(texts) == Vocabulary.build(texts[::-1])


def test_a_hundred_thousand_documents_take_less_than_two_seconds() -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(1, 40, 100_000)
    pool = [f"word{index}" for index in range(5000)]
    flat = [pool[index] for index in random.integers(0, len(pool), lengths.sum())]
    ends = np.cumsum(lengths)
    texts = [flat[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    started = time.process_time()
    values, _ = Vocabulary.build(texts, min_count=2, size=4000).encode(texts)
    assert time.process_time() - started < 2.0
    assert len(values) == lengths.sum()
