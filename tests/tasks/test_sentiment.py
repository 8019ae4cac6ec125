import csv
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files

import benchsuite_sentiment
from benchsuite.data import words
from benchsuite.errors import DataError, RequestError, UnknownNameError
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_sentiment.generated import FAVOURABLE, UNFAVOURABLE, generated
from benchsuite_sentiment.task import LoadedSentiment
from benchsuite_sentiment.texts import read_mr, read_reviews, read_sst2, reviews

(ENTRY,) = benchsuite_sentiment.benchsuite_register_tasks()
NEGATIONS = ("not", "never", "hardly", "far from")


@pytest.fixture(scope="module")
def data() -> LoadedSentiment:
    return load_task(LoadedSentiment, ENTRY, "generated")


def texts(data: LoadedSentiment, ids: Iterable[int]) -> list[str]:
    return [data.vocabulary[index] for index in ids]


def clause_is_favourable(clause: list[str]) -> bool:
    (opinion,) = (word for word in clause if word in FAVOURABLE + UNFAVOURABLE)
    text = f" {' '.join(clause)} "
    return (opinion in FAVOURABLE) != any(f" {negation} " in text for negation in NEGATIONS)


def by_the_rule(sentence: str) -> int:
    """The label by reading the main clause, independently of how sentences are made."""
    tokens = sentence.split()
    if "but" in tokens:
        main = tokens[tokens.index("but") :]
    elif "although" in tokens:
        after = tokens[tokens.index("although") :]
        main = after[after.index(",") :]
    elif "even" in tokens:
        main = tokens[: tokens.index("even")]
    elif "and" in tokens:
        main = tokens[: tokens.index("and")]
    else:
        main = tokens
    return int(clause_is_favourable(main))


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_sentiment as m; m.benchsuite_register_tasks();"
        "print([n for n in ('sklearn', 'scipy', 'pandas', 'pooch', 'requests') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_generated_labels_follow_the_rule() -> None:
    corpus = generated()
    for split in (corpus.train, corpus.validation, corpus.test):
        assert [by_the_rule(text) for text in split.texts] == split.labels.tolist()


def test_generated_sentences_are_distinct_and_uneven(data: LoadedSentiment) -> None:
    corpus = generated()
    every = corpus.train.texts + corpus.validation.texts + corpus.test.texts
    assert len(set(every)) == len(every) == 4500
    lengths = data.train.inputs.lengths
    assert lengths.min() <= 5
    assert lengths.max() >= 30
    assert 0.45 < corpus.train.labels.mean() < 0.55


def test_a_bag_of_words_stays_far_below_the_rule(data: LoadedSentiment) -> None:
    accuracy = data.baselines["bag_of_words"]["accuracy"]
    assert data.baselines["majority"]["accuracy"] < accuracy < 0.7


def test_the_generated_corpus_is_pinned(data: LoadedSentiment) -> None:
    first = " ".join(texts(data, data.train.inputs[0]))
    assert first == (
        "the lead actor seems delightful but the acting everyone talks about these days was not superb "
        "in the end ."
    )
    again = load_task(LoadedSentiment, ENTRY, "generated")
    assert np.array_equal(again.train.inputs.values, data.train.inputs.values)


def test_the_vocabulary_comes_from_the_training_split_alone(data: LoadedSentiment) -> None:
    seen = {word for text in generated().train.texts for word in words(text)}
    assert set(data.vocabulary[2:]) <= seen
    assert set(np.unique(data.train.inputs.values)) <= set(range(1, len(data.vocabulary)))


def test_long_texts_lose_the_end_that_is_not_kept() -> None:
    whole = load_task(LoadedSentiment, ENTRY, "generated", min_count=1)
    for keep, part in (("tail", slice(-6, None)), ("head", slice(6))):
        short = load_task(LoadedSentiment, ENTRY, "generated", min_count=1, max_length=6, keep=keep)
        assert short.train.inputs.lengths.max() == 6
        for row in range(20):
            assert texts(short, short.train.inputs[row]) == texts(whole, whole.train.inputs[row])[part]


def test_rare_words_are_unknown_and_the_vocabulary_is_bounded() -> None:
    small = load_task(LoadedSentiment, ENTRY, "generated", vocabulary=20)
    assert len(small.vocabulary) == 20
    assert np.any(small.train.inputs.values == 1)


@pytest.mark.parametrize(
    "wrong", [{"max_length": 0}, {"vocabulary": 2}, {"min_count": 1.5}, {"max_length": True}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, Scalar]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load_task(LoadedSentiment, ENTRY, "generated", **wrong)


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sst2'"):
        load_task(LoadedSentiment, ENTRY, "sst-2")


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_the_model_embeds_the_vocabulary(readout: str) -> None:
    data = load_task(LoadedSentiment, ENTRY, "generated", readout=readout)
    model = data.model("deep", "lstm", Size(hidden=5, layers=3, embedding=4))
    assert model.input == Tokens(len(data.vocabulary), 4)
    assert model.body == Recurrent("lstm", 5, 3)
    assert (model.head, model.loss, model.readout) == (Dense(2), "cross_entropy", readout)


def test_scoring_names_the_primary_metric(data: LoadedSentiment) -> None:
    scores = np.eye(2)[data.test.row_targets] * 9
    found = data.score(scores, data.test)
    assert found[data.primary] == found["macro_f1"] == 1.0


def test_sst2_files_are_read_by_the_csv_rules(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("label", "sentence"), (1, 'a "good", naïve one'), (0, "bad")])
    found = read_sst2(path)
    assert found.texts == ['a "good", naïve one', "bad"]
    assert found.labels.tolist() == [1, 0]


def test_an_sst2_file_with_another_header_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text("sentence,label\nx,1\n")
    with pytest.raises(DataError, match="label,sentence"):
        read_sst2(path)


def test_mr_lines_end_at_newlines_only(tmp_path: Path) -> None:
    positive, negative = tmp_path / "pos", tmp_path / "neg"
    positive.write_bytes(b"good \x85 very good \ncaf\xe9 \n")
    negative.write_bytes(b"bad \n")
    found = read_mr(positive, negative)
    assert found.texts == ["good … very good", "café", "bad"]
    assert found.labels.tolist() == [1, 1, 0]


def test_reviews_are_read_from_the_archive_with_their_folds(tmp_path: Path) -> None:
    path = tmp_path / "tiny.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("poldata.README.2.0", "txt_sentoken/pos/cv901_2.txt", "txt_sentoken/neg/cv000_1.txt"):
            member = tarfile.TarInfo(name)
            content = f"text of {name}".encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    found, folds = read_reviews(path)
    assert found.texts == ["text of txt_sentoken/neg/cv000_1.txt", "text of txt_sentoken/pos/cv901_2.txt"]
    assert (found.labels.tolist(), folds.tolist()) == ([0, 1], [0, 9])


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "sizes", "positive"),
    [
        ("sst2", [6920, 872, 1821], [3610, 444, 909]),
        ("mr", [8530, 1066, 1066], [4265, 533, 533]),
        ("reviews", [1600, 200, 200], [800, 100, 100]),
    ],
)
def test_the_real_corpora(source: str, sizes: list[int], positive: list[int]) -> None:
    need_files(ENTRY)
    data = load_task(LoadedSentiment, ENTRY, source)
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == sizes
    assert [int(split.row_targets.sum()) for split in splits] == positive
    assert data.baselines["bag_of_words"]["accuracy"] > 0.75


@pytest.mark.data
def test_whole_reviews_are_as_long_as_published() -> None:
    need_files(ENTRY)
    corpus = reviews()
    lengths = [len(text.split()) for text in corpus.train.texts + corpus.validation.texts + corpus.test.texts]
    assert np.mean(lengths) == pytest.approx(746, abs=1)
    assert np.median(lengths) == pytest.approx(696, abs=1)
    assert max(lengths) == 2678


def test_without_a_mask_every_text_is_read_to_the_same_end() -> None:
    """The padding is part of the sequence then: equal lengths, and the words first."""
    masked = load_task(LoadedSentiment, ENTRY, "generated", max_length=40)
    unmasked = load_task(LoadedSentiment, ENTRY, "generated", max_length=40, mask=False)
    assert set(unmasked.train.inputs.lengths) == {40}
    assert len(unmasked.test) == len(masked.test)
    assert unmasked.baselines == masked.baselines
    for row in range(0, len(masked.test), 97):
        words, filled = masked.test.inputs[row], unmasked.test.inputs[row]
        np.testing.assert_array_equal(filled[: len(words)], words)
        assert not filled[len(words) :].any()
