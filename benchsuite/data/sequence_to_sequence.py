"""What tasks with a decoder have in common: splits of token sequences, texts from decoded ids, exhibits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import TypeVar

import numpy as np

from benchsuite.contracts.dataset import Split
from benchsuite.contracts.options import Option
from benchsuite.contracts.task import Alignments, LoadedTask
from benchsuite.data.text import JOINER
from benchsuite.data.vocabulary import END, UNKNOWN, Documents, Vocabulary
from benchsuite.schema import Exhibit, ModelSpec, Size, Tokens, encoder_decoder
from benchsuite.schema.model import AttentionKind

Known = TypeVar("Known")

UNKNOWN_MARK = "\u2047"
"""In a decoded text: a token that is not in the vocabulary, so one wrong word (as in SentencePiece)."""

SHOWN = 4
"""Rows that exhibits() shows."""

ATTENTION_SCORES: tuple[AttentionKind, ...] = ("additive", "multiplicative")
"""The scores that the architecture `attention` can have."""

DECODER_OPTIONS = {
    "attention": Option("additive", "score of the architecture attention", ATTENTION_SCORES),
    "bidirectional": Option(True, "whether the encoder also reads backwards", (True, False)),
}
"""The options of every SequenceToSequence."""


@dataclass(frozen=True, kw_only=True)
class SequenceToSequence(LoadedTask):
    """A task of token sequences that a decoder generates, word by word, from token sequences.

    limit          most tokens that are generated for a row
    attention      score of the architecture `attention`
    bidirectional  whether the encoder also reads backwards
    """

    limit: int
    attention: AttentionKind
    bidirectional: bool

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """An embedding and an encoder, a decoder with an embedding of its own, with attention or without."""
        return encoder_decoder(
            architecture,
            cell,
            size,
            Tokens(len(self.vocabulary), size.embedding),
            len(self.target_vocabulary),
            self.limit,
            self.attention,
            self.bidirectional,
        )

    def decoded_texts(self, predictions: np.ndarray, join: Callable[[Iterable[str]], str]) -> list[str]:
        """Decoded ids (n, L) int32, as score() takes them, each row joined into a text."""
        vocabulary = Vocabulary(self.target_vocabulary)
        unknown = vocabulary.words[UNKNOWN]
        return [
            join(UNKNOWN_MARK if word == unknown else word for word in vocabulary.decode(ids))
            for ids in predictions.tolist()
        ]

    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """A few of the rows whose attention is known, or of all: input, target and decoded words, without the
        marks of marked_words(), with the attention that each decoded word had."""
        source, target = Vocabulary(self.vocabulary), Vocabulary(self.target_vocabulary)
        found = []
        for row in sorted(alignments)[:SHOWN] or range(min(SHOWN, len(split))):
            lines = {
                "source": _bare(source.words[index] for index in split.inputs[row]),
                "target": _bare(target.decode(split.sequence_targets[row])),
                "prediction": _bare(target.decode(predictions[row])),
            }
            tables = {}
            if row in alignments:  # without its last row, that of END
                tables["alignment"] = alignments[row][: len(lines["prediction"])].tolist()
            found.append(Exhibit(name=f"row {row}", kind="text", lines=lines, tables=tables))
        return found


def _bare(words: Iterable[str]) -> list[str]:
    return [word.strip(JOINER) for word in words]


def sequence_splits(
    vocabulary: Vocabulary, target_vocabulary: Vocabulary, parts: Sequence[tuple[Documents, Documents]]
) -> list[Split]:
    """One split for each of `parts`: the input and the target tokens, row by row; END is put after each target.

    All splits share one array of inputs and one of targets. So the starts of the targets tell the rows of all
    splits apart, whatever select() has left of one; see facts_by_start().
    """
    end = target_vocabulary.words[END]
    inputs = vocabulary.ragged(list(chain.from_iterable(read for read, _ in parts)))
    targets = target_vocabulary.ragged([[*words, end] for _, documents in parts for words in documents])
    bounds = accumulate((len(read) for read, _ in parts), initial=0)
    rows = [np.arange(first, stop) for first, stop in pairwise(bounds)]
    return [Split(inputs.select(each), targets.select(each), aligned=False) for each in rows]


def facts_by_start(splits: Iterable[Split], facts: Iterable[Sequence[Known]]) -> dict[int, Known]:
    """Start of a target -> what the task knows of its row and no model reads, such as its references.

    :param splits: all from one sequence_splits().
    :param facts: for each split one fact for each row.
    """
    found: dict[int, Known] = {}
    for split, rows in zip(splits, facts, strict=True):
        found |= dict(zip(split.sequence_targets.starts.tolist(), rows, strict=True))
    return found


def facts_of(split: Split, facts: Mapping[int, Known]) -> list[Known]:
    """The facts of facts_by_start() for the rows of a split."""
    return [facts[start] for start in split.sequence_targets.starts.tolist()]


def generation_limit(train: Split) -> int:
    """Most tokens that a decoder generates: half as many again as the longest training target has, and five."""
    return int(1.5 * int(train.sequence_targets.lengths.max())) + 5
