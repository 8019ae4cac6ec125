"""What tasks whose targets a decoder writes have in common: splits from sequences of words, texts from what
was written, and exhibits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import TypeVar

import numpy as np

from benchsuite.contracts.dataset import Dataset, Ragged, Split
from benchsuite.data.text import JOINER
from benchsuite.data.vocabulary import END, UNKNOWN, Vocabulary
from benchsuite.schema import Exhibit

Documents = Sequence[Sequence[str]]
Known = TypeVar("Known")

UNREADABLE = "\u2047"
"""Stands in a text for a token that is not in the vocabulary: one wrong word (as SentencePiece writes it)."""


def written_splits(
    vocabulary: Vocabulary, target_vocabulary: Vocabulary, parts: Sequence[tuple[Documents, Documents]]
) -> list[Split]:
    """One split for each of `parts`: what is read and what is to be written, row by row; END is put after each
    target.

    All splits share one array of inputs and one of targets. So `targets.starts` tells the rows of all splits
    apart, whatever select() has left of one; see by_start().
    """
    end = target_vocabulary.words[END]
    read = _ragged(vocabulary, list(chain.from_iterable(read for read, _ in parts)))
    written = _ragged(target_vocabulary, [[*words, end] for _, targets in parts for words in targets])
    bounds = accumulate((len(read) for read, _ in parts), initial=0)
    rows = [np.arange(first, stop) for first, stop in pairwise(bounds)]
    return [Split(read.select(each), written.select(each), aligned=False) for each in rows]


def _ragged(vocabulary: Vocabulary, documents: Documents) -> Ragged:
    values, lengths = vocabulary.encode(documents)
    return Ragged(values, np.cumsum(lengths) - lengths, lengths)


def by_start(splits: Iterable[Split], facts: Iterable[Sequence[Known]]) -> dict[int, Known]:
    """Start of a target -> what the task knows of its row and no model reads, such as its references. `facts`
    are row by row, for splits of one written_splits()."""
    found: dict[int, Known] = {}
    for split, rows in zip(splits, facts, strict=True):
        found |= dict(zip(_targets(split).starts.tolist(), rows, strict=True))
    return found


def known_of(split: Split, facts: Mapping[int, Known]) -> list[Known]:
    """The facts of by_start() for the rows of a split."""
    return [facts[start] for start in _targets(split).starts.tolist()]


def generation_limit(train: Split) -> int:
    """Most tokens to be written: half as many again as the longest training target has, and a few."""
    return int(1.5 * int(_targets(train).lengths.max())) + 5


def written_texts(
    predictions: np.ndarray, dataset: Dataset, join: Callable[[Iterable[str]], str]
) -> list[str]:
    """What was written, ids (n, L) as Task.score() takes them, each row joined into a text."""
    assert dataset.target_vocabulary is not None
    vocabulary = Vocabulary(dataset.target_vocabulary)
    unknown = vocabulary.words[UNKNOWN]
    return [
        join(UNREADABLE if word == unknown else word for word in vocabulary.decode(ids))
        for ids in predictions.tolist()
    ]


def text_exhibits(
    predictions: np.ndarray,
    split: Split,
    dataset: Dataset,
    alignments: Mapping[int, np.ndarray],
    shown: int = 4,
) -> list[Exhibit]:
    """The first `shown` of the rows whose attention is known, or of all: words read, wanted and written. The
    marks of marked_words() are left out. Arguments and alignment as in Task.exhibits()."""
    assert dataset.vocabulary is not None
    assert dataset.target_vocabulary is not None
    source, target = Vocabulary(dataset.vocabulary), Vocabulary(dataset.target_vocabulary)
    found = []
    for row in sorted(alignments)[:shown] or range(min(shown, len(split))):
        lines = {
            "source": _bare(source.words[index] for index in split.inputs[row]),
            "target": _bare(target.decode(_targets(split)[row])),
            "prediction": _bare(target.decode(predictions[row])),
        }
        tables = {}
        if row in alignments:  # without its last row, that of END
            tables["alignment"] = alignments[row][: len(lines["prediction"])].tolist()
        found.append(Exhibit(name=f"row {row}", kind="text", lines=lines, tables=tables))
    return found


def _targets(split: Split) -> Ragged:
    assert isinstance(split.targets, Ragged)
    return split.targets


def _bare(words: Iterable[str]) -> list[str]:
    return [word.strip(JOINER) for word in words]
