"""The baseline that knows words and no grammar: each word becomes the one that occurs with it most."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.data import END, UNKNOWN, Vocabulary, presence


def word_by_word(
    train: Split, vocabulary: Vocabulary, target_vocabulary: Vocabulary, texts: list[list[str]]
) -> list[list[str]]:
    """`texts` with each word replaced by its entry in the dictionary of `train`, or left where it has none."""
    best = dictionary(train.inputs, train.sequence_targets, len(vocabulary), len(target_vocabulary))
    entries = {
        word: target_vocabulary.words[best[index]]
        for word, index in vocabulary.ids.items()
        if index > UNKNOWN and best[index] > END
    }
    return [[entries.get(word, word) for word in text] for text in texts]


def dictionary(sources: Ragged, targets: Ragged, read: int, decoded: int) -> np.ndarray:
    """(read,) int64: for each source id s the target id t with the largest Dice coefficient
    2 n(s, t) / (n(s) + n(t)), n being the number of pairs that hold them (Smadja et al. 1996).

    Special ones are never the answer; a source id that no pair has gets 0.
    """
    left, right = presence(sources, read), presence(targets, decoded)
    together = (left.T @ right).tocoo()
    kept = together.col > END
    row, column, count = together.row[kept], together.col[kept], together.data[kept]
    n_left, n_right = (np.bincount(part.indices, minlength=part.shape[1]) for part in (left, right))
    dice = 2 * count / (n_left[row] + n_right[column])
    best = np.zeros(read, np.int64)
    order = np.lexsort(
        (-column, dice)
    )  # the best comes last, and stays; of equal ones the more frequent word
    best[row[order]] = column[order]
    return best
