import gzip
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_translation
from benchsuite.contracts import Ragged, Split
from benchsuite.data import END, JOINER, UNKNOWN, UNKNOWN_MARK, Vocabulary
from benchsuite.errors import DataError, RequestError, UnknownNameError, UnsupportedError
from benchsuite.measure.conformance.tasks import perfect_predictions
from benchsuite.measure.provenance import dataset_digest, text_digest
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_translation.corpora import by_sentence, read_lines, read_tatoeba, tatoeba
from benchsuite_translation.dictionary import dictionary
from benchsuite_translation.metrics import TextMetrics
from benchsuite_translation.numbers import GERMAN_PARTS, SMALL_NUMBERS, numbers
from benchsuite_translation.task import SOURCES, LoadedTranslation
from benchsuite_translation.tokens import TOKENISERS, Rules, Words

(ENTRY,) = benchsuite_translation.benchsuite_register_tasks()
KINDS = ("words", "characters", "bpe")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=JOINER), max_size=40)


def load(source: str = "numbers", **given: Scalar) -> LoadedTranslation:
    return load_task(LoadedTranslation, ENTRY, source, **given)


@pytest.fixture(scope="module")
def data() -> LoadedTranslation:
    return load()


def targets(split: Split) -> Ragged:
    return split.sequence_targets


def texts(data: LoadedTranslation, split: Split) -> list[str]:
    """The target texts of a split, from their ids."""
    vocabulary = Vocabulary(data.target_vocabulary)
    return [data.join(vocabulary.decode(targets(split)[row])) for row in range(len(split))]


def perfect(data: LoadedTranslation) -> np.ndarray:
    model = data.model("attention", "gru", Size(hidden=4))
    return perfect_predictions(model, data.test)


def test_listing_the_task_imports_nothing_heavy() -> None:
    heavy = ("sacrebleu", "tokenizers", "num2words", "scipy", "pandas", "pooch", "requests")
    code = (
        "import sys, benchsuite_translation as m; m.benchsuite_register_tasks();"
        f"print([n for n in {heavy} if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_card_names_what_there_is() -> None:
    assert set(ENTRY.sources) == set(SOURCES)
    assert ENTRY.options["tokens"].choices == tuple(TOKENISERS)
    pairs = {pair for _, pairs in SOURCES.values() for pair in pairs}
    assert set(ENTRY.options["pair"].choices or ()) == {"default", *pairs}


def test_numbers_are_pinned_and_distinct(data: LoadedTranslation) -> None:
    corpus = numbers("en", "es")
    parts = (corpus.train, corpus.validation, corpus.test)
    assert [len(part.sources) for part in parts] == [8000, 500, 1000]
    every = [text for part in parts for text in part.sources]
    assert len(set(every)) == len(every)
    assert (corpus.train.sources[0], corpus.train.targets[0]) == (
        "seventy-nine thousand, three hundred and thirty-four",
        "setenta y nueve mil trescientos treinta y cuatro",
    )
    assert texts(data, data.test) == corpus.test.targets


def test_small_numbers_are_all_numbers_up_to_999() -> None:
    corpus = numbers("en", "es", SMALL_NUMBERS)
    parts = (corpus.train, corpus.validation, corpus.test)
    assert tuple(len(part.sources) for part in parts) == SMALL_NUMBERS.sizes
    assert len({text for part in parts for text in part.sources}) == 1000
    assert not [text for part in parts for text in part.sources if "thousand" in text]


@pytest.mark.parametrize("pair", SOURCES["numbers"][1])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_can_be_written_again(pair: str, kind: str) -> None:
    source, target = pair.split("-")
    corpus = numbers(source, target)
    rules = Rules(lower_case=True, min_count=2, size=400, decoder=True, parts=corpus.parts)
    tokeniser = TOKENISERS[kind](corpus.train.targets, rules)
    wanted = corpus.test.targets
    found = tokeniser.split(wanted)
    assert [tokeniser.join(tokens) for tokens in found] == wanted
    known = set(tokeniser.vocabulary.words)
    assert all(token in known for tokens in found for token in tokens)
    assert len(tokeniser.vocabulary) <= 400


@given(text=TEXT)
@pytest.mark.parametrize("kind", ["words", "characters"])
def test_any_text_can_be_written_again(kind: str, text: str) -> None:
    text = " ".join(text.split())
    tokeniser = TOKENISERS[kind]([text], Rules(lower_case=False, min_count=1, size=100))
    (tokens,) = tokeniser.split([text])
    assert tokeniser.join(tokens) == text


@given(text=TEXT)
def test_subwords_write_any_text_of_known_characters_again(text: str) -> None:
    text = " ".join(text.replace("▁", " ").replace("<unk>", " ").split())
    tokeniser = TOKENISERS["bpe"]([text], Rules(lower_case=False, min_count=1, size=100))
    (tokens,) = tokeniser.split([text])
    assert tokeniser.join(tokens) == text


def test_german_numbers_are_read_in_their_parts() -> None:
    corpus = numbers("en", "de")
    rules = Rules(lower_case=True, min_count=1, size=400, parts=GERMAN_PARTS)
    tokeniser = Words(corpus.train.targets, rules)
    assert tokeniser.split(["siebenundzwanzigtausendeinhunderteins"]) == [
        ["sieben", "￭und", "￭zwanzig", "￭tausend", "￭ein", "￭hundert", "￭eins"]
    ]
    assert tokeniser.split(["undenkbar"]) == [["undenkbar"]]
    parts = {word.strip(JOINER) for word in tokeniser.vocabulary.words[2:]}
    assert len(parts) < 40
    assert all(GERMAN_PARTS.fullmatch(part) for part in parts)


def test_subwords_come_from_the_training_split_and_nothing_else() -> None:
    rules = Rules(lower_case=True, min_count=2, size=60, decoder=True)
    tokeniser = TOKENISERS["bpe"](["low lower lowest", "new newer newest"] * 3, rules)
    assert tokeniser.split(["Newest low"]) == [["▁newest", "▁low"]]
    ((*_, unknown),) = tokeniser.split(["lowz"])
    assert unknown == "<unk>"
    assert tokeniser.vocabulary.ids[unknown] == UNKNOWN
    model = json.loads(tokeniser.artifact)["model"]
    assert set(model["vocab"]) - {"<unk>"} == set(tokeniser.vocabulary.words[4:])


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_another_process_makes_the_same_data(kind: str) -> None:
    code = (
        "import benchsuite_translation as m;"
        "from benchsuite.measure.provenance import dataset_digest, text_digest;"
        f"data = m._load().load('numbers', m.benchsuite_register_tasks()[0].complete({{'tokens': {kind!r}}}));"
        "print(dataset_digest(data), *map(text_digest, data.artifacts.values()))"
    )
    other = {**os.environ, "PYTHONHASHSEED": "7", "RAYON_NUM_THREADS": "3"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=other)
    data = load(tokens=kind)
    assert run.stdout.split() == [dataset_digest(data), *map(text_digest, data.artifacts.values())]


def test_artifacts_hold_what_was_learnt(data: LoadedTranslation) -> None:
    assert data.artifacts["source_tokens"].splitlines() == list(data.vocabulary)
    assert data.artifacts["target_tokens"].splitlines() == list(data.target_vocabulary)


def test_case_can_be_kept() -> None:
    corpus = ["Ein Hund", "ein Hund"]
    kept, lost = (Words(corpus, Rules(lower_case=lower, min_count=1, size=9)) for lower in (False, True))
    assert kept.split(["Ein Hund"]) == [["Ein", "Hund"]]
    assert lost.split(["Ein Hund"]) == [["ein", "hund"]]
    assert TextMetrics(False, False).score(["ein Hund"], [["Ein Hund"]])["exact_match"] == 0
    assert TextMetrics(True, False).score(["ein Hund"], [["Ein Hund"]])["exact_match"] == 1


def test_long_training_pairs_are_left_out_and_long_test_texts_cut(data: LoadedTranslation) -> None:
    short = load(max_length=6)
    assert short.train.inputs.lengths.max() == 6
    assert targets(short.train).lengths.max() <= 7
    assert len(short.train) < len(data.train)
    assert len(short.test) == len(data.test)
    assert short.test.inputs.lengths.max() == 6
    assert targets(short.test).lengths.max() == 7
    assert all(targets(short.test)[row][-1] == END for row in range(len(short.test)))
    found = short.score(perfect(short), short.test)
    assert 0 < found["exact_match"] < 1
    assert short.limit == int(1.5 * targets(short.train).lengths.max()) + 5


def test_no_pair_being_short_enough_is_refused() -> None:
    with pytest.raises(RequestError, match=r"no training pair has 2 tokens or fewer.*max_length"):
        load(tokens="characters", max_length=2)


@pytest.mark.parametrize("wrong", [{"max_length": 0}, {"vocabulary": 2}, {"min_count": 1.5}])
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load(**wrong)


def test_unknown_names_are_told_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'multi30k'"):
        load("multi30")
    with pytest.raises(UnknownNameError, match=r"pair of translation/numbers.*en-es"):
        load("numbers", pair="de-en")


@pytest.mark.parametrize("kind", KINDS)
def test_what_equals_the_targets_is_perfect(kind: str) -> None:
    data = load(tokens=kind)
    written = perfect(data)
    found = data.score(written, data.test)
    assert found == pytest.approx({"bleu": 100, "chrf": 100, "exact_match": 1})
    ended = np.concatenate([written, np.full_like(written[:, :2], 5)], axis=1)
    some = data.test.select(np.array([3, 0]))
    assert data.score(ended[[3, 0]], some)["exact_match"] == 1
    assert data.score(ended[[3, 0]], data.test.select(np.array([3, 1])))["exact_match"] == 0.5


def test_an_unknown_token_is_a_wrong_word(data: LoadedTranslation) -> None:
    written = perfect(data)
    written[:, 0] = UNKNOWN
    found = data.score(written, data.test)
    assert found["exact_match"] == 0
    assert found["bleu"] < 90
    assert TextMetrics(True, False).score(["a b c d e"], [[f"a b c d {UNKNOWN_MARK}"]])["bleu"] > 60


def test_nothing_written_scores_nothing(data: LoadedTranslation) -> None:
    empty = np.zeros((len(data.test), 5), np.int32)
    empty[::2, 0] = END
    assert data.score(empty, data.test) == {"bleu": 0, "chrf": 0, "exact_match": 0}


def test_a_text_needs_to_equal_one_of_its_references() -> None:
    metrics = TextMetrics(lower_case=True, effective_order=False)
    references = [("Mir geht es gut.", "Es geht mir sehr gut."), ("Nein, danke, mein Herr.",)]
    found = metrics.score(["es geht mir sehr gut.", "nein, danke, mein herr."], references)
    assert found == pytest.approx({"bleu": 100, "chrf": 100, "exact_match": 1})
    signatures = metrics.signatures(references)
    assert re.fullmatch(r"nrefs:var\|case:lc\|eff:no\|tok:13a\|smooth:exp\|version:\S+", signatures["bleu"])
    assert signatures["chrf"].startswith("nrefs:var|case:lc|")


def test_texts_of_one_word_score_by_their_share() -> None:
    found = TextMetrics(True, effective_order=True).score(["eins", "zwei"], [("eins",), ("drei",)])
    assert found["bleu"] == pytest.approx(50)
    assert found["exact_match"] == 0.5


def test_the_signature_is_for_the_record(data: LoadedTranslation) -> None:
    signatures = data.signatures
    assert set(signatures) == {"bleu", "chrf"}
    assert signatures["bleu"].startswith("nrefs:1|case:lc|eff:yes|tok:13a|")


def test_the_dictionary_knows_words_and_no_grammar(data: LoadedTranslation) -> None:
    copied, looked_up = data.baselines["copy"], data.baselines["dictionary"]
    assert copied["chrf"] < looked_up["chrf"] < 90
    assert set(load(tokens="characters").baselines) == {"copy"}


def test_the_dictionary_by_hand() -> None:
    sources = Ragged.from_sequences([np.array(row) for row in ([2, 3], [2, 4], [2, 2])])
    translations = Ragged.from_sequences([np.array(row) for row in ([4, 5, 3], [4, 6, 3], [4, 3])])
    assert dictionary(sources, translations, 6, 7).tolist() == [0, 0, 4, 5, 6, 0]


@pytest.mark.parametrize(("architecture", "attention"), [("encoder_decoder", "none"), ("attention", "given")])
@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_the_model_reads_and_generates(architecture: str, attention: str, kind: str) -> None:
    data = load(attention=kind, bidirectional=False)
    model = data.model(architecture, "lstm", Size(hidden=5, layers=2, embedding=4))
    written = len(data.target_vocabulary)
    assert model.input == Tokens(len(data.vocabulary), 4)
    assert model.body == Recurrent("lstm", 5, 2)
    assert model.head == Dense(written)
    assert model.decoder is not None
    assert model.decoder.attention == (kind if attention == "given" else "none")
    assert (model.decoder.vocabulary, model.decoder.limit) == (written, data.limit)


def test_the_encoder_reads_both_ways_by_default(data: LoadedTranslation) -> None:
    model = data.model("attention", "gru", Size())
    assert isinstance(model.body, Recurrent)
    assert model.body.bidirectional
    with pytest.raises(UnsupportedError, match="plain"):
        data.model("plain", "gru", Size())


def test_exhibits_show_sentences_with_their_attention(data: LoadedTranslation) -> None:
    read, written = data.test.inputs.lengths[1], targets(data.test).lengths[1]
    alignment = np.full((written, read), 1 / read)
    (one,) = data.exhibits(perfect(data), data.test, {1: alignment})
    corpus = numbers("en", "es").test
    assert one.lines["target"] == one.lines["prediction"] == corpus.targets[1].split()
    assert one.lines["source"] == re.findall(r"\w+|[-,]", corpus.sources[1])
    assert np.shape(one.tables["alignment"]) == (written - 1, read)


def test_lines_lose_their_outer_and_their_odd_spaces(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gz"
    path.write_bytes(gzip.compress(" Ein\u00a0Hund .\nZwei\tHunde. \n".encode()))
    assert read_lines(path) == ["Ein Hund .", "Zwei Hunde."]


def tiny_archive(path: Path, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_about.txt", "about")
        archive.writestr("spa.txt", text)
    return path


def test_tatoeba_is_read_from_its_archive(tmp_path: Path) -> None:
    path = tiny_archive(tmp_path / "a.zip", "Go.\tVe.\nGo.\tVe\u200bte.\nHi,\u00a0you.\tHola.\n")
    assert read_tatoeba(path) == [("Go.", "Ve."), ("Go.", "Vete."), ("Hi, you.", "Hola.")]
    with pytest.raises(DataError, match="no tab"):
        read_tatoeba(tiny_archive(tmp_path / "b.zip", "Go. Ve.\n"))


def test_a_sentence_is_in_one_split_with_all_its_translations() -> None:
    pairs = [(f"Sentence {n}.", f"Frase {n}.") for n in range(8)]
    pairs += [(f"sentence {n}!", f"frase {n}") for n in range(8)]
    pairs += [(f"Sentence {n}.", f"Oración {n}.") for n in range(8)] + pairs[:3]
    train, validation, test = by_sentence(pairs, (2, 3))
    assert [len(part.sources) for part in (train, validation, test)] == [9, 2, 3]
    held_out = {re.sub(r"\D", "", text) for part in (validation, test) for text in part.sources}
    assert len(held_out) == 5
    assert not held_out & {re.sub(r"\D", "", text) for text in train.sources}
    for text, wanted in zip(test.sources, test.references, strict=True):
        number = re.sub(r"\D", "", text)
        assert (text, wanted) == (f"Sentence {number}.", (f"Frase {number}.", f"Oración {number}."))


@pytest.mark.data
@pytest.mark.parametrize("pair", SOURCES["multi30k"][1])
def test_multi30k_keeps_its_split(pair: str) -> None:
    need_files(ENTRY)
    data = load("multi30k", pair=pair)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [29_000, 1014, 1000]
    assert data.baselines["copy"]["bleu"] < 2 < data.baselines["dictionary"]["bleu"] < 30
    # what the vocabulary lacks is all that parts perfect tokens from the text
    assert data.score(perfect(data), data.test)["bleu"] > 90


@pytest.mark.data
def test_multi30k_in_subwords_lacks_nothing() -> None:
    need_files(ENTRY)
    data = load("multi30k", tokens="bpe", vocabulary=4000)
    assert len(data.target_vocabulary) <= 4000
    assert data.score(perfect(data), data.test)["bleu"] > 99.5


@pytest.mark.data
def test_tatoeba_has_no_sentence_in_two_splits() -> None:
    need_files(ENTRY)
    corpus = tatoeba("en", "es")
    assert len(corpus.validation.sources) == 1000
    assert len(corpus.test.sources) == 2000
    assert len(corpus.train.sources) > 115_000
    kept = [
        {" ".join(re.findall(r"\w+", text.casefold())) for text in part.sources}
        for part in (corpus.train, corpus.validation, corpus.test)
    ]
    assert not kept[0] & (kept[1] | kept[2])
    assert not kept[1] & kept[2]
    assert max(map(len, corpus.test.references)) > 3
