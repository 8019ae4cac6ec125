import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files
from hypothesis import given, settings
from hypothesis import strategies as st

import benchsuite_language
from benchsuite.contracts import Ragged, Split
from benchsuite.errors import DataError, RequestError, UnknownNameError, UnsupportedError
from benchsuite.measure.batching import stream_batches
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_language.generated import SIZES, START, generated, sentences
from benchsuite_language.grammar import Grammar, expectation, sentence
from benchsuite_language.ngrams import ngram_scores
from benchsuite_language.task import LoadedLanguage
from benchsuite_language.texts import read_text

(ENTRY,) = benchsuite_language.benchsuite_register_tasks()


@pytest.fixture(scope="module")
def data() -> LoadedLanguage:
    return load_task(LoadedLanguage, ENTRY, "generated")


def text(data: LoadedLanguage, ids: np.ndarray) -> str:
    return "".join(data.vocabulary[index] for index in ids)


def targets(split: Split) -> Ragged:
    return split.step_targets


def derivations(grammar: Grammar, start: str, wanted: str) -> list[float]:
    """The probability of every derivation of `wanted` from `start`, by trying every rule at every place."""

    @cache
    def ends(parts: tuple[str, ...], at: int) -> tuple[tuple[int, float], ...]:
        if not parts:
            return ((at, 1.0),)
        first, rest = parts[0], parts[1:]
        if first not in grammar:
            return ends(rest, at + len(first)) if wanted.startswith(first, at) else ()
        return tuple(
            (end, probability * inner * outer)
            for probability, expansion in grammar[first]
            for middle, inner in ends(expansion, at)
            for end, outer in ends(rest, middle)
        )

    return [probability for end, probability in ends((start,), 0) if end == len(wanted)]


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_language as m; m.benchsuite_register_tasks();"
        "print([n for n in ('scipy', 'pandas', 'pooch', 'benchsuite_language.task') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_sentence_has_one_derivation_and_costs_what_the_source_says() -> None:
    grammar, random = sentences(), np.random.RandomState(0)
    for _ in range(60):
        drawn, bits = sentence(grammar, START, random)
        assert -np.log2(derivations(grammar, START, drawn)) == pytest.approx([bits])
        assert drawn.index(".\n") == len(drawn) - 2


@pytest.mark.parametrize("symbol", sorted(sentences()))
def test_probabilities_of_a_symbol_sum_to_one(symbol: str) -> None:
    assert sum(probability for probability, _ in sentences()[symbol]) == pytest.approx(1)


def test_the_entropy_of_a_sentence_is_the_mean_of_its_costs() -> None:
    grammar, random = sentences(), np.random.RandomState(1)
    drawn = [sentence(grammar, START, random) for _ in range(4000)]
    bits, lengths = np.array([cost for _, cost in drawn]), np.array([len(each) for each, _ in drawn])
    whole = expectation(grammar, START)
    for mean, sample in ((whole.bits, bits), (whole.characters, lengths)):
        assert abs(sample.mean() - mean) < 4 * sample.std() / np.sqrt(len(sample))


def test_expectations_by_hand() -> None:
    """a^n b with n geometric: H = h(1/4) / (1/4) bits, 3 + 1 characters; a coin's tail is not counted twice."""
    grammar: Grammar = {"S": ((0.75, ("a", "S")), (0.25, ("b",)))}
    whole = expectation(grammar, "S")
    assert whole.characters == pytest.approx(4)
    assert whole.bits == pytest.approx((-0.75 * np.log2(0.75) - 0.25 * np.log2(0.25)) / 0.25)


def test_the_generated_text_is_pinned(data: LoadedLanguage) -> None:
    assert (
        text(data, data.train.inputs[0][:72])
        == "\nToday the dogs know the teacher and hear the cats that the cats follow."
    )
    again = load_task(LoadedLanguage, ENTRY, "generated")
    assert np.array_equal(again.train.inputs.values, data.train.inputs.values)


def test_a_split_is_one_long_sequence_of_next_characters(data: LoadedLanguage) -> None:
    corpus = generated()
    for split, whole, size in zip(
        (data.train, data.validation, data.test),
        (corpus.train, corpus.validation, corpus.test),
        SIZES,
        strict=True,
    ):
        assert len(split) == 1
        assert size < len(whole) < size + 1000
        assert text(data, split.inputs[0]) == whole[:-1]
        assert text(data, targets(split)[0]) == whole[1:]
        assert split.inputs.values.dtype == targets(split).values.dtype == np.int32


def test_it_can_be_streamed(data: LoadedLanguage) -> None:
    chunks = list(stream_batches(data.train, 16, 64, "float32"))
    assert [chunk.begins for chunk in chunks[:2]] == [True, False]
    assert np.array_equal(chunks[0].batch.targets[:, -1], chunks[1].batch.inputs[:, 0])


def test_chunks_are_the_same_text_in_pieces(data: LoadedLanguage) -> None:
    pieces = load_task(LoadedLanguage, ENTRY, "generated", chunk=100)
    assert pieces.baselines == data.baselines
    for split, whole in ((pieces.train, data.train), (pieces.test, data.test)):
        assert set(split.inputs.lengths[:-1].tolist()) == {100}
        for part, stream in ((split.inputs, whole.inputs), (targets(split), targets(whole))):
            assert np.array_equal(np.concatenate([part[row] for row in range(len(part))]), stream[0])


def test_the_true_entropy_is_below_every_ngram(data: LoadedLanguage) -> None:
    bits = {name: metrics["bits_per_character"] for name, metrics in data.baselines.items()}
    assert bits["true_entropy"] == pytest.approx(0.4058955, abs=1e-6)
    assert bits["true_source"] == pytest.approx(bits["true_entropy"], rel=0.02)
    assert bits["true_source"] < 0.8 * bits["7-gram"]
    assert bits["7-gram"] < bits["5-gram"] < bits["3-gram"] < bits["1-gram"] < np.log2(26)


@pytest.mark.parametrize("chunk", [0, 300])
def test_scores_by_hand(chunk: int) -> None:
    pieces = load_task(LoadedLanguage, ENTRY, "generated", chunk=chunk)
    rows, steps = len(pieces.test), int(pieces.test.inputs.lengths.max())
    truth = targets(pieces.test).padded(np.arange(rows), steps + 3)
    sure = (np.eye(26, dtype=np.float32) * 50)[truth]
    uniform = np.zeros_like(sure)
    assert pieces.score(sure, pieces.test) == pytest.approx(
        {"bits_per_character": 0, "perplexity": 1, "accuracy": 1}, abs=1e-6
    )
    found = pieces.score(uniform, pieces.test)
    assert found["bits_per_character"] == pytest.approx(np.log2(26))
    assert found["perplexity"] == pytest.approx(26)
    first, whole = min(generated().test), generated().test  # of equal scores the first one is taken
    assert found["accuracy"] == pytest.approx(whole[1:].count(first) / (len(whole) - 1))


def test_the_beginning_of_the_test_text_is_shown(data: LoadedLanguage) -> None:
    sure = (np.eye(26, dtype=np.float32) * 50)[targets(data.test)[0]][None]
    (shown,) = data.exhibits(sure, data.test, {})
    corpus = generated()
    assert "".join(shown.lines["source"]) == corpus.test[:240]
    assert shown.lines["prediction"] == shown.lines["target"] == list(corpus.test[1:241])


def test_the_model_scores_every_character_at_every_step(data: LoadedLanguage) -> None:
    model = data.model("deep", "gru", Size(hidden=7, layers=3, embedding=5))
    assert model.input == Tokens(26, 5)
    assert model.body == Recurrent("gru", 7, 3)
    assert (model.head, model.loss, model.readout) == (Dense(26), "cross_entropy", "steps")


def test_what_reads_backwards_is_refused(data: LoadedLanguage) -> None:
    assert ENTRY.architectures == ("plain", "deep")
    with pytest.raises(UnsupportedError, match="plain, deep"):
        data.model("attention", "lstm", Size())


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="generated, shakespeare"):
        load_task(LoadedLanguage, ENTRY, "dickens")


@pytest.mark.parametrize("wrong", [-1, 2.5, True])
def test_chunks_of_no_length_are_refused(wrong: Scalar) -> None:
    with pytest.raises(RequestError, match="chunk"):
        load_task(LoadedLanguage, ENTRY, "generated", chunk=wrong)


def plain_ngram(train: list[int], history: list[int], vocabulary: int, n: int, highest: bool) -> np.ndarray:
    """p_n(. | history) by the formula, with dictionaries."""
    if n == 0:
        return np.full(vocabulary, 1 / vocabulary)
    lower = plain_ngram(train, history[1:], vocabulary, n - 1, highest=False)
    counts = Counter(tuple(train[at : at + n]) for at in range(len(train) - n + 1))
    if not highest:
        longer = {tuple(train[at : at + n + 1]) for at in range(len(train) - n)}
        counts = Counter(gram[1:] for gram in longer)
    once, twice, thrice, four = (sum(count == times for count in counts.values()) for times in (1, 2, 3, 4))
    usual = [0.0, 0.5, 1.0, 1.5]
    if once and twice and thrice:
        y = once / (once + 2 * twice)
        estimated = [0.0, 1 - 2 * y * twice / once, 2 - 3 * y * thrice / twice, 3 - 4 * y * four / thrice]
        usual = estimated if min(estimated[1:]) > 0 else usual
    followers = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == tuple(history)}
    if not followers:
        return lower
    total = sum(followers.values())
    found = lower * sum(usual[min(count, 3)] for count in followers.values()) / total
    for character, count in followers.items():
        found[character] += (count - usual[min(count, 3)]) / total
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda v: st.tuples(
            st.just(v),
            st.lists(st.integers(0, v - 1), min_size=5, max_size=60),
            st.lists(st.integers(0, v - 1), min_size=5, max_size=12),
        )
    ),
    st.integers(1, 4),
)
def test_ngrams_are_those_of_the_formula(texts: tuple[int, list[int], list[int]], n: int) -> None:
    vocabulary, train, test = texts
    found = np.exp(ngram_scores(np.array(train), np.array(test), vocabulary, [n])[n])
    assert found.shape == (len(test) - 1, vocabulary)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    for row in range(max(n - 2, 0), len(test) - 1):
        history = test[row - n + 2 : row + 1]
        np.testing.assert_allclose(found[row], plain_ngram(train, history, vocabulary, n, True), rtol=1e-12)


def test_orders_asked_for_together_are_those_asked_for_alone() -> None:
    random = np.random.RandomState(0)
    train, test = random.randint(5, size=400), random.randint(5, size=50)
    together = ngram_scores(train, test, 5, (1, 2, 4))
    for n, scores in together.items():
        np.testing.assert_array_equal(ngram_scores(train, test, 5, [n])[n], scores)


def test_a_text_of_too_many_characters_is_a_data_error() -> None:
    ids = np.arange(600)
    assert ngram_scores(ids, ids[:9], 600, [6])[6].shape == (8, 600)
    with pytest.raises(DataError, match=r"600 different characters; 7-grams .* enough for fewer than 512"):
        ngram_scores(ids, ids[:9], 600, [7])


def test_texts_are_split_in_order_and_keep_their_line_ends(tmp_path: Path) -> None:
    whole = "".join(chr(97 + index % 26) for index in range(37)) + "\r\né"
    path = tmp_path / "tiny.txt"
    path.write_bytes(whole.encode())
    corpus = read_text(path)
    assert corpus.train + corpus.validation + corpus.test == whole
    assert [len(part) for part in (corpus.train, corpus.validation, corpus.test)] == [36, 2, 2]


def test_what_is_no_text_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"bad\.txt"):
        read_text(path)


@pytest.mark.data
def test_tiny_shakespeare_is_the_real_one() -> None:
    need_files(ENTRY)
    data = load_task(LoadedLanguage, ENTRY, "shakespeare")
    assert len(data.vocabulary) == 65
    assert [int(split.inputs.lengths[0]) for split in (data.train, data.validation, data.test)] == [
        1_003_853,
        55_769,
        55_769,
    ]
    assert text(data, data.train.inputs[0][:14]) == "First Citizen:"
    bits = {name: metrics["bits_per_character"] for name, metrics in data.baselines.items()}
    assert bits == pytest.approx(
        {"1-gram": 4.850, "3-gram": 3.005, "5-gram": 2.337, "7-gram": 2.279}, abs=1e-3
    )
