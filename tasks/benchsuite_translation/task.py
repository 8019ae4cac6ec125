"""The task `translation`: data, model, metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from benchsuite.contracts import Options, Split, Task
from benchsuite.data import (
    ATTENTION_SCORES,
    SequenceToSequence,
    facts_by_start,
    facts_of,
    generation_limit,
    sequence_splits,
)
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite_translation.corpora import Corpus, multi30k, tatoeba
from benchsuite_translation.dictionary import word_by_word
from benchsuite_translation.metrics import TextMetrics
from benchsuite_translation.numbers import SMALL_NUMBERS, numbers
from benchsuite_translation.tokens import TOKENISERS, Rules

SOURCES: dict[str, tuple[Callable[[str, str], Corpus], tuple[str, ...]]] = {
    "multi30k": (multi30k, ("de-en", "en-de", "en-fr", "fr-en")),
    "tatoeba": (tatoeba, ("en-es",)),
    "numbers": (numbers, ("en-es", "en-de", "en-fr")),
    "small_numbers": (partial(numbers, among=SMALL_NUMBERS), ("en-es", "en-de", "en-fr")),
}
"""Each source with its pairs, the default one first."""

_SHORT_TEXTS = ("numbers", "small_numbers")
"""Sources with texts of fewer than four words, of which BLEU counts as many n-grams as there are."""


class Translation(Task):
    """Pairs of texts in two languages."""

    def load(self, source: str, options: Options) -> LoadedTranslation:
        """Source and target texts as token ids, (length,) int32 each; targets end with END.

        A training pair with a side of more than max_length tokens is left out. Validation and test texts are
        cut instead; the references they are scored by stay whole.
        """
        corpus = _load(source, options.text("pair"))
        parts = (corpus.train, corpus.validation, corpus.test)
        most = options.integer("max_length")
        tokeniser = TOKENISERS[options.text("tokens")]
        reader = tokeniser(corpus.train.sources, _rules(options))
        writer = tokeniser(corpus.train.targets, _rules(options, decoder=True, parts=corpus.parts))
        texts = [(reader.split(part.sources), writer.split(part.targets)) for part in parts]
        held_out = [(_cut(sources, most), _cut(targets, most)) for sources, targets in texts[1:]]
        splits = sequence_splits(reader.vocabulary, writer.vocabulary, [texts[0], *held_out])
        train = _short(splits[0], most, source)

        metrics = TextMetrics(
            options.flag("lower_case"), effective_order=source in ("numbers", "small_numbers")
        )
        guesses = {"copy": corpus.test.sources}
        if options.text("tokens") == "words":
            found = word_by_word(train, reader.vocabulary, writer.vocabulary, texts[2][0])
            guesses["dictionary"] = [writer.join(text) for text in found]
        wanted = corpus.test.references
        return LoadedTranslation(
            name=f"translation/{source}",
            train=train,
            validation=splits[1],
            test=splits[2],
            vocabulary=reader.vocabulary.words,
            target_vocabulary=writer.vocabulary.words,
            limit=generation_limit(train),
            attention=options.one_of("attention", ATTENTION_SCORES),
            bidirectional=options.flag("bidirectional"),
            join=writer.join,
            references=facts_by_start(splits, [part.references for part in parts]),
            metrics=metrics,
            baselines={name: metrics.score(guess, wanted) for name, guess in guesses.items()},
            licence=corpus.licence,
            artifacts={"source_tokens": reader.artifact, "target_tokens": writer.artifact},
            signatures=metrics.signatures(wanted),
        )


@dataclass(frozen=True, kw_only=True)
class LoadedTranslation(SequenceToSequence):
    """Sequence to sequence; `bleu` ranks on every source, with exact_match beside it.

    join        makes a text of target tokens
    references  start of a target -> the translations of its row, as facts_by_start() gives it
    metrics     how texts are scored
    """

    primary = "bleu"
    higher_is_better = True

    join: Callable[[Iterable[str]], str] = field(repr=False)
    references: Mapping[int, tuple[str, ...]] = field(repr=False)
    metrics: TextMetrics

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """bleu, chrf and exact_match of decoded ids (n, L), joined into texts; see TextMetrics."""
        return self.metrics.score(
            self.decoded_texts(predictions, self.join), facts_of(split, self.references)
        )


def _load(source: str, pair: str) -> Corpus:
    load, pairs = SOURCES[source]
    pair = pairs[0] if pair == "default" else pair
    if pair not in pairs:
        raise UnknownNameError(f"pair of translation/{source}", pair, pairs)
    return load(*pair.split("-"))


def _rules(options: Options, decoder: bool = False, parts: re.Pattern[str] | None = None) -> Rules:
    return Rules(
        lower_case=options.flag("lower_case"),
        min_count=options.integer("min_count"),
        size=options.integer("vocabulary"),
        decoder=decoder,
        parts=parts,
    )


def _cut(texts: list[list[str]], most: int) -> list[list[str]]:
    return [tokens[:most] for tokens in texts]


def _short(train: Split, most: int, source: str) -> Split:
    """The pairs with at most `most` tokens on either side, END not counted."""
    rows = np.flatnonzero((train.inputs.lengths <= most) & (train.sequence_targets.lengths <= most + 1))
    if not len(rows):
        raise RequestError(
            f"translation/{source}: no training pair has {most} tokens or fewer on both sides; "
            "raise option max_length"
        )
    return train.select(rows)
