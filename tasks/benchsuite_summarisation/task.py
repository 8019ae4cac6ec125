"""The task `summarisation`: data, model, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from benchsuite.contracts import Alignments, Options, Split, Task
from benchsuite.data import (
    ATTENTION_SCORES,
    SequenceToSequence,
    Vocabulary,
    facts_by_start,
    facts_of,
    generation_limit,
    join_words,
    marked_words,
    sequence_splits,
)
from benchsuite.schema import Exhibit
from benchsuite_summarisation.corpora import Corpus, aeslc
from benchsuite_summarisation.metrics import KINDS, rouge, signature
from benchsuite_summarisation.reports import SHORT_REPORTS, reports

SOURCES: dict[str, Callable[[], Corpus]] = {
    "aeslc": aeslc,
    "reports": reports,
    "short_reports": partial(reports, SHORT_REPORTS),
}


class Summarisation(Task):
    """Texts and the lines that say what they are about."""

    def load(self, source: str, options: Options) -> LoadedSummarisation:
        """Texts and summaries as word ids, (length,) int32 each; summaries end with END and are never cut."""
        most, lower_case = options.integer("max_length"), options.flag("lower_case")
        min_count, size = options.integer("min_count"), options.integer("vocabulary")
        corpus = SOURCES[source]()
        parts = (corpus.train, corpus.validation, corpus.test)
        texts, summaries = (
            [[marked_words(text, lower_case) for text in split] for split in sides]
            for sides in ([part.texts for part in parts], [part.summaries for part in parts])
        )
        texts = [[words[:most] for words in split] for split in texts]
        vocabulary = Vocabulary.build(texts[0], min_count, size)
        target_vocabulary = Vocabulary.build(summaries[0], min_count, size, decoder=True)
        splits = sequence_splits(vocabulary, target_vocabulary, list(zip(texts, summaries, strict=True)))
        train, validation, test = splits
        learnt = {"texts": vocabulary.words, "summaries": target_vocabulary.words}
        artifacts = {name: "".join(f"{word}\n" for word in words) for name, words in learnt.items()}
        return LoadedSummarisation(
            name=f"summarisation/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=vocabulary.words,
            target_vocabulary=target_vocabulary.words,
            limit=generation_limit(train),
            attention=options.one_of("attention", ATTENTION_SCORES),
            bidirectional=options.flag("bidirectional"),
            references=facts_by_start(splits, [part.summaries for part in parts]),
            private=corpus.private,
            baselines=_baselines(corpus, texts[2], summaries[0]),
            licence=corpus.licence,
            artifacts={} if corpus.private else artifacts,
            signatures=dict.fromkeys(KINDS, signature()),
        )


@dataclass(frozen=True, kw_only=True)
class LoadedSummarisation(SequenceToSequence):
    """Sequence to sequence; `rougeL` ranks.

    references  start of a target -> the summary of its row, as facts_by_start() gives it
    private     no text may be shown or stored
    """

    primary = "rougeL"
    higher_is_better = True

    references: Mapping[int, str] = field(repr=False)
    private: bool

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """rouge1, rouge2, rougeL and exact_match of decoded ids (n, L), joined into texts."""
        return rouge(self.decoded_texts(predictions, join_words), facts_of(split, self.references))

    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """A few texts with the attention that each word of their summary had; of private ones none."""
        return [] if self.private else super().exhibits(predictions, split, alignments)


def _baselines(
    corpus: Corpus, texts: list[list[str]], summaries: list[list[str]]
) -> dict[str, dict[str, float]]:
    """Of the test split: the rule-made guesses, and the first words of each text, as many as a summary of the
    training split has on average."""
    count = max(1, round(float(np.mean([len(words) for words in summaries]))))
    lead = [join_words(words[:count]) for words in texts]
    guesses = {"lead": lead, **corpus.guesses}
    return {name: rouge(guess, corpus.test.summaries) for name, guess in guesses.items()}
