"""The task `translation`: data set, model, metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import (
    Dataset,
    Ragged,
    Split,
    Task,
    by_start,
    generation_limit,
    known_of,
    text_exhibits,
    written_splits,
    written_texts,
)
from benchsuite.data import whole_number
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.schema import Exhibit, ModelSpec, Size, Tokens, encoder_decoder
from benchsuite.schema.trial import Scalar
from benchsuite_translation.corpora import Corpus, multi30k, tatoeba
from benchsuite_translation.dictionary import word_by_word
from benchsuite_translation.metrics import TextMetrics
from benchsuite_translation.numbers import numbers
from benchsuite_translation.tokens import TOKENISERS, Rules

SOURCES = {
    "multi30k": (multi30k, ("de-en", "en-de", "en-fr", "fr-en")),
    "tatoeba": (tatoeba, ("en-es",)),
    "numbers": (numbers, ("en-es", "en-de", "en-fr")),
}
"""Each source with its pairs, the default one first."""


class Translation(Task):
    """Sequence to sequence; `bleu` ranks on every source, with exact_match beside it."""

    primary = "bleu"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Source and target texts as token ids, (length,) int32 each; targets end with END.

        A training pair with a side of more than max_length tokens is left out. Validation and test texts are
        cut instead; the references they are scored by stay whole.
        """
        corpus = _load(source, str(options["pair"]))
        parts = (corpus.train, corpus.validation, corpus.test)
        most = whole_number("translation", options, "max_length", 1)
        tokeniser = TOKENISERS[str(options["tokens"])]
        reader = tokeniser(corpus.train.sources, _rules(options))
        writer = tokeniser(corpus.train.targets, _rules(options, written=True, parts=corpus.parts))
        texts = [(reader.split(part.sources), writer.split(part.targets)) for part in parts]
        held_out = [(_cut(read, most), _cut(written, most)) for read, written in texts[1:]]
        splits = written_splits(reader.vocabulary, writer.vocabulary, [texts[0], *held_out])
        train = _short(splits[0], most, source)

        metrics = TextMetrics(bool(options["lower_case"]), effective_order=source == "numbers")
        guesses = {"copy": corpus.test.sources}
        if options["tokens"] == "words":
            found = word_by_word(train, reader.vocabulary, writer.vocabulary, texts[2][0])
            guesses["dictionary"] = [writer.join(text) for text in found]
        wanted = corpus.test.references
        return Dataset(
            name=f"translation/{source}",
            train=train,
            validation=splits[1],
            test=splits[2],
            vocabulary=reader.vocabulary.words,
            target_vocabulary=writer.vocabulary.words,
            metadata={
                "limit": generation_limit(train),
                "join": writer.join,
                "references": by_start(splits, [part.references for part in parts]),
                "metrics": metrics,
                "signatures": metrics.signatures(wanted),
            },
            baselines={name: metrics.score(guess, wanted) for name, guess in guesses.items()},
            licence=corpus.licence,
            artifacts={"source_tokens": reader.artifact, "target_tokens": writer.artifact},
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
        """bleu, chrf and exact_match of what was written, ids (n, L), joined into texts; see TextMetrics."""
        texts = written_texts(predictions, dataset, dataset.metadata["join"])
        references = known_of(split, dataset.metadata["references"])
        found: dict[str, float] = dataset.metadata["metrics"].score(texts, references)
        return found

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,
        alignments: Mapping[int, np.ndarray],
    ) -> list[Exhibit]:
        """A few sentences, with the attention each word was written with."""
        return text_exhibits(predictions, split, dataset, alignments)


def _load(source: str, pair: str) -> Corpus:
    if source not in SOURCES:
        raise UnknownNameError("source of translation", source, SOURCES)
    load, pairs = SOURCES[source]
    pair = pairs[0] if pair == "default" else pair
    if pair not in pairs:
        raise UnknownNameError(f"pair of translation/{source}", pair, pairs)
    return load(*pair.split("-"))


def _rules(
    options: Mapping[str, Scalar], written: bool = False, parts: re.Pattern[str] | None = None
) -> Rules:
    return Rules(
        lower_case=bool(options["lower_case"]),
        min_count=whole_number("translation", options, "min_count", 1),
        size=whole_number("translation", options, "vocabulary", 5),
        written=written,
        parts=parts,
    )


def _cut(texts: list[list[str]], most: int) -> list[list[str]]:
    return [tokens[:most] for tokens in texts]


def _short(train: Split, most: int, source: str) -> Split:
    """The pairs with at most `most` tokens on either side, END not counted."""
    assert isinstance(train.targets, Ragged)
    rows = np.flatnonzero((train.inputs.lengths <= most) & (train.targets.lengths <= most + 1))
    if not len(rows):
        raise RequestError(
            f"translation/{source}: no training pair has {most} tokens or fewer on both sides; "
            "raise option max_length"
        )
    return train.select(rows)
