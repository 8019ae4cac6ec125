import io
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

# Tests of the emails hold numbers only: what pytest shows of a failure must not be anybody's mail.
from fixtures.tasks import load_task, need_files

import benchsuite_summarisation
from benchsuite.data import END
from benchsuite.errors import DataError, RequestError, UnknownNameError, UnsupportedError
from benchsuite.measure.conformance.tasks import perfect_predictions
from benchsuite.measure.provenance import dataset_digest, text_digest
from benchsuite.schema import Dense, Recurrent, Scalar, Size, Tokens
from benchsuite_summarisation.corpora import Summarised, read_aeslc, without
from benchsuite_summarisation.metrics import rouge
from benchsuite_summarisation.reports import SHORT_REPORTS, SUBJECTS, TOWNS, Form, reports
from benchsuite_summarisation.task import SOURCES, LoadedSummarisation

(ENTRY,) = benchsuite_summarisation.benchsuite_register_tasks()


@pytest.fixture(scope="module")
def data() -> LoadedSummarisation:
    return load_task(LoadedSummarisation, ENTRY, "reports")


def perfect(data: LoadedSummarisation) -> np.ndarray:
    model = data.model("attention", "gru", Size(hidden=4))
    return perfect_predictions(model, data.test)


def texts(data: LoadedSummarisation, ids: np.ndarray) -> list[str]:
    return [data.vocabulary[index] for index in ids]


def by_the_rule(text: str) -> str:
    """The headline of a report, by reading it."""
    subject = re.search(r"^report: (\w+)\.", text)
    assert subject
    choose, headline = SUBJECTS[subject[1]]
    values = {town: int(value) for town, value in re.findall(r"(\w+): (\d+)\.", text) if town in TOWNS}
    assert len(set(values.values())) == len(values) >= 2
    town = choose(values, key=values.__getitem__)
    return headline.format(town=town, value=values[town])


def test_listing_the_task_imports_nothing_heavy() -> None:
    heavy = ("rouge_score", "nltk", "scipy", "pandas", "pooch", "requests")
    code = (
        "import sys, benchsuite_summarisation as m; m.benchsuite_register_tasks();"
        f"print([n for n in {heavy} if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_card_names_what_there_is() -> None:
    assert set(ENTRY.sources) == set(SOURCES)
    assert ENTRY.offline == ("reports", "short_reports")


@pytest.mark.parametrize("form", [Form(), SHORT_REPORTS], ids=["reports", "short_reports"])
def test_headlines_follow_the_rule(form: Form) -> None:
    corpus = reports(form)
    splits = (corpus.train, corpus.validation, corpus.test)
    for split in splits:
        assert [by_the_rule(text) for text in split.texts] == split.summaries
    assert tuple(len(split.texts) for split in splits) == form.sizes
    assert len({text for split in splits for text in split.texts}) == sum(form.sizes)


def test_reports_are_pinned_distinct_and_uneven(data: LoadedSummarisation) -> None:
    corpus = reports()
    assert corpus.train.texts[0] == "report: waiting. stations: 26. ulm: 34. delft: 55. oulu: 19. riga: 49."
    assert corpus.train.summaries[0] == "wait only 19 minutes in oulu"
    every = corpus.train.texts + corpus.validation.texts + corpus.test.texts
    assert len(set(every)) == len(every) == 9500
    lengths = data.train.inputs.lengths
    assert lengths.min() < 18 < 45 < lengths.max()


def test_another_process_makes_the_same_data(data: LoadedSummarisation) -> None:
    code = (
        "import benchsuite_summarisation as m;"
        "from benchsuite.measure.provenance import dataset_digest, text_digest;"
        "data = m._load().load('reports', m.benchsuite_register_tasks()[0].complete({}));"
        "print(dataset_digest(data), *map(text_digest, data.artifacts.values()))"
    )
    other = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=other)
    assert run.stdout.split() == [dataset_digest(data), *map(text_digest, data.artifacts.values())]


def test_the_rules_that_do_not_read_stay_far_below(data: LoadedSummarisation) -> None:
    lead, first = data.baselines["lead"], data.baselines["first_entry"]
    assert lead["rougeL"] < 0.3 < first["rougeL"] < 0.8
    assert lead["exact_match"] == 0
    assert first["exact_match"] < 0.3


def test_long_texts_lose_their_end(data: LoadedSummarisation) -> None:
    short = load_task(LoadedSummarisation, ENTRY, "reports", max_length=9)
    assert short.train.inputs.lengths.max() == 9
    for row in range(5):
        assert texts(short, short.train.inputs[row]) == texts(data, data.train.inputs[row])[:9]
    assert np.array_equal(short.train.sequence_targets.lengths, data.train.sequence_targets.lengths)


@pytest.mark.parametrize("wrong", [{"max_length": 0}, {"vocabulary": 2}, {"min_count": True}])
def test_options_out_of_range_are_refused(wrong: dict[str, Scalar]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load_task(LoadedSummarisation, ENTRY, "reports", **wrong)


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'reports'"):
        load_task(LoadedSummarisation, ENTRY, "report")


def test_what_equals_the_summaries_is_perfect(data: LoadedSummarisation) -> None:
    written = perfect(data)
    ones = {"rouge1": 1, "rouge2": 1, "rougeL": 1, "exact_match": 1}
    assert data.score(written, data.test) == pytest.approx(ones)
    some = data.test.select(np.array([7, 3]))
    assert data.score(written[[7, 3]], some)["exact_match"] == 1
    assert data.score(written[[7, 7]], some)["exact_match"] == 0.5
    nothing = np.full((len(data.test), 1), END, np.int32)
    assert data.score(nothing, data.test) == dict.fromkeys(ones, 0)


def test_rouge_by_hand() -> None:
    found = rouge(["the cat sat on mats", "Riga leads!"], ["the cats sat", "riga leads!"])
    assert found["rouge1"] == pytest.approx((2 * 3 / (5 + 3) + 1) / 2)
    assert found["rouge2"] == pytest.approx((2 * 2 / (4 + 2) + 1) / 2)
    assert found["rougeL"] == pytest.approx((2 * 3 / (5 + 3) + 1) / 2)
    assert found["exact_match"] == 0.5


def test_the_record_is_told_how_rouge_counts(data: LoadedSummarisation) -> None:
    signatures = data.signatures
    assert set(signatures) == {"rouge1", "rouge2", "rougeL"}
    assert all(re.match(r"rouge-score \d\S+, Porter", text) for text in signatures.values())


@pytest.mark.parametrize("architecture", ["encoder_decoder", "attention"])
@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_the_model_reads_and_generates(architecture: str, kind: str) -> None:
    size = Size(hidden=5, layers=2, embedding=4)
    data = load_task(LoadedSummarisation, ENTRY, "reports", attention=kind)
    model = data.model(architecture, "lstm", size)
    written = len(data.target_vocabulary)
    assert model.input == Tokens(len(data.vocabulary), 4)
    assert model.body == Recurrent("lstm", 5, 2, bidirectional=True)
    assert model.head == Dense(written)
    assert model.decoder is not None
    assert model.decoder.attention == (kind if architecture == "attention" else "none")
    assert (model.decoder.vocabulary, model.decoder.limit) == (written, 17)
    with pytest.raises(UnsupportedError, match="plain"):
        data.model("plain", "lstm", size)


def test_exhibits_show_reports_with_their_attention(data: LoadedSummarisation) -> None:
    read, written = data.test.inputs.lengths[2], data.test.sequence_targets.lengths[2]
    alignment = np.full((written, read), 1 / read)
    (one,) = data.exhibits(perfect(data), data.test, {2: alignment})
    corpus = reports().test
    assert one.lines["prediction"] == one.lines["target"] == corpus.summaries[2].split()
    assert one.lines["source"] == re.findall(r"\w+|[.:,]", corpus.texts[2])
    assert np.shape(one.tables["alignment"]) == (written - 1, read)


def archive(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as found:
        for name, text in files.items():
            member = tarfile.TarInfo(f"AESLC-0/{name}")
            content = text.encode()
            member.size = len(content)
            found.addfile(member, io.BytesIO(content))
    return path


def test_emails_are_read_from_their_archive(tmp_path: Path) -> None:
    files = {
        "README.md": "no email",
        "enron_subject_line/train/b.subject": "Write to\n\na@b.c  today\n@subject x\n\n@subject\nA  letter\n\n",
        "enron_subject_line/train/a.subject": "First\n@subject\nOne\n",
        "enron_subject_line/test/c.subject": "Body\n@subject\nOwn\n\n@ann0\nAnother\n@ann1\nThird\n@ann2\nLast",
    }
    found = read_aeslc(archive(tmp_path / "tiny.tar.gz", files))
    assert found["train"] == Summarised(["First", "Write to a@b.c today @subject x"], ["One", "A letter"])
    assert found["test"] == Summarised(["Body"], ["Own"])
    assert found["dev"] == Summarised([], [])


@pytest.mark.parametrize(
    "text", ["secret words", "secret\n@ann0\nx\n", "secret\n@subject\n\n", "@subject\nsecret"]
)
def test_an_email_that_is_none_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    path = archive(tmp_path / "tiny.tar.gz", {"enron_subject_line/train/a.subject": text})
    with pytest.raises(DataError, match=r"train/a\.subject") as caught:
        read_aeslc(path)
    assert "secret" not in str(caught.value)


def test_texts_of_another_split_can_be_left_out() -> None:
    split = Summarised(["a", "b", "a", "c"], ["1", "2", "3", "4"])
    assert without(split, {"a", "d"}) == Summarised(["b", "c"], ["2", "4"])


@pytest.mark.data
def test_emails_are_split_as_published_and_not_shared() -> None:
    need_files(ENTRY)
    splits = SOURCES["aeslc"]()
    sizes = [len(split.texts) for split in (splits.train, splits.validation, splits.test)]
    first, second, third = (
        {*map(hash, part.texts)} for part in (splits.train, splits.validation, splits.test)
    )
    shared = [len(first & second), len(first & third), len(second & third)]
    assert (sizes, shared) == ([14_421, 1749, 1906], [0, 0, 0])


@pytest.mark.data
def test_nothing_of_an_email_leaves_the_data_set() -> None:
    need_files(ENTRY)
    data = load_task(LoadedSummarisation, ENTRY, "aeslc")
    found = [len(data.artifacts), len(data.exhibits(perfect(data), data.test, {}))]
    longest = int(data.train.inputs.lengths.max())
    shown = repr(data)
    told = [
        name for name in ("vocabulary", "target_vocabulary", "references", "artifacts") if f"{name}=" in shown
    ]
    baselines = data.baselines["lead"]
    del data, shown
    assert (found, longest, told) == ([0, 0], 120, [])
    assert 0.05 < baselines["rougeL"] < 0.1
