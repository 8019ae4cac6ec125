"""What tasks whose targets a decoder writes have in common: splits from sequences of words, and exhibits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np

from benchsuite.contracts.dataset import Dataset, Ragged, Split
from benchsuite.data.text import JOINER
from benchsuite.data.vocabulary import END, Vocabulary
from benchsuite.spec import Exhibit

Documents = Sequence[Sequence[str]]


def written_splits(
    vocabulary: Vocabulary, target_vocabulary: Vocabulary, parts: Sequence[tuple[Documents, Documents]]
) -> list[Split]:
    """One split for each of `parts`: what is read and what is to be written, row by row; END is put after each
    target.

    All splits share one array of inputs and one of targets. So `targets.starts` tells the rows of all splits
    apart, whatever select() has left of one: a key to what a task knows of a row and no model reads, such as
    its references.
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
    assert isinstance(split.targets, Ragged)
    source, target = Vocabulary(dataset.vocabulary), Vocabulary(dataset.target_vocabulary)
    found = []
    for row in sorted(alignments)[:shown] or range(min(shown, len(split))):
        lines = {
            "source": _bare(source.words[index] for index in split.inputs[row]),
            "target": _bare(target.decode(split.targets[row])),
            "prediction": _bare(target.decode(predictions[row])),
        }
        tables = {}
        if row in alignments:  # without its last row, that of END
            tables["alignment"] = alignments[row][: len(lines["prediction"])].tolist()
        found.append(Exhibit(name=f"row {row}", kind="text", lines=lines, tables=tables))
    return found


def _bare(words: Iterable[str]) -> list[str]:
    return [word.strip(JOINER) for word in words]
