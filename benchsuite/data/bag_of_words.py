"""Which ids a sequence holds, without their order and number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from benchsuite.contracts.dataset import Ragged


def presence(texts: Ragged, vocabulary: int) -> csr_matrix:
    """(n, vocabulary) sparse float64: 1 where a sequence of ids (n sequences, int32) holds the id."""
    from scipy.sparse import csr_matrix

    rows = np.repeat(np.arange(len(texts)), texts.lengths)
    counts = csr_matrix((np.ones(len(rows)), (rows, texts.flat())), shape=(len(texts), vocabulary))
    counts.sum_duplicates()
    counts.data[:] = 1.0
    return counts
