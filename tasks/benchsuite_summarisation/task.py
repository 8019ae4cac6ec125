"""The task `summarisation`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import (
    Dataset,
    Split,
    Task,
    by_start,
    generation_limit,
    known_of,
    text_exhibits,
    written_splits,
    written_texts,
)
from benchsuite.data import Vocabulary, join_words, marked_words, whole_number
from benchsuite.errors import UnknownNameError
from benchsuite.schema import Exhibit, ModelSpec, Size, Tokens, encoder_decoder
from benchsuite.schema.trial import Scalar
from benchsuite_summarisation.corpora import Corpus, aeslc
from benchsuite_summarisation.metrics import KINDS, rouge, signature
from benchsuite_summarisation.reports import reports

SOURCES = {"aeslc": aeslc, "reports": reports}


class Summarisation(Task):
    """Sequence to sequence; `rougeL` ranks."""

    primary = "rougeL"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Texts and summaries as word ids, (length,) int32 each; summaries end with END and are never cut."""
        if source not in SOURCES:
            raise UnknownNameError("source of summarisation", source, SOURCES)
        most = whole_number("summarisation", options, "max_length", 1)
        min_count = whole_number("summarisation", options, "min_count", 1)
        size = whole_number("summarisation", options, "vocabulary", 5)
        lower_case = bool(options["lower_case"])
        corpus = SOURCES[source]()
        parts = (corpus.train, corpus.validation, corpus.test)
        read, written = (
            [[marked_words(text, lower_case) for text in texts] for texts in sides]
            for sides in ([part.texts for part in parts], [part.summaries for part in parts])
        )
        read = [[words[:most] for words in texts] for texts in read]
        vocabulary = Vocabulary.build(read[0], min_count, size)
        target_vocabulary = Vocabulary.build(written[0], min_count, size, written=True)
        splits = written_splits(vocabulary, target_vocabulary, list(zip(read, written, strict=True)))
        train, validation, test = splits
        learnt = {"texts": vocabulary.words, "summaries": target_vocabulary.words}
        artifacts = {name: "".join(f"{word}\n" for word in words) for name, words in learnt.items()}
        return Dataset(
            name=f"summarisation/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=vocabulary.words,
            target_vocabulary=target_vocabulary.words,
            metadata={
                "limit": generation_limit(train),
                "references": by_start(splits, [part.summaries for part in parts]),
                "private": corpus.private,
                "signatures": dict.fromkeys(KINDS, signature()),
            },
            baselines=_baselines(corpus, read[2], written[0]),
            licence=corpus.licence,
            artifacts={} if corpus.private else artifacts,
        )

    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """An embedding and an encoder, a decoder with an embedding of its own, with attention or without."""
        assert dataset.vocabulary is not None
        assert dataset.target_vocabulary is not None
        return encoder_decoder(
            architecture,
            cell,
            size,
            Tokens(len(dataset.vocabulary), size.embedding),
            len(dataset.target_vocabulary),
            dataset.metadata["limit"],
            "multiplicative" if options["attention"] == "multiplicative" else "additive",
            bool(options["bidirectional"]),
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:
        """rouge1, rouge2, rougeL and exact_match of what was written, ids (n, L), joined into texts."""
        texts = written_texts(predictions, dataset, join_words)
        return rouge(texts, known_of(split, dataset.metadata["references"]))

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,
        alignments: Mapping[int, np.ndarray],
    ) -> list[Exhibit]:
        """A few texts with the attention each word of their summary was written with; of private ones none."""
        if dataset.metadata["private"]:
            return []
        return text_exhibits(predictions, split, dataset, alignments)


def _baselines(
    corpus: Corpus, texts: list[list[str]], summaries: list[list[str]]
) -> dict[str, dict[str, float]]:
    """Of the test split: the rule-made guesses, and the first words of each text, as many as a summary of the
    training split has on average."""
    count = max(1, round(float(np.mean([len(words) for words in summaries]))))
    lead = [join_words(words[:count]) for words in texts]
    guesses = {"lead": lead, **corpus.guesses}
    return {name: rouge(guess, corpus.test.summaries) for name, guess in guesses.items()}
