"""Fixed splits: the same examples in the same split on every machine and in every year.

They draw from NumPy's RandomState, whose stream is frozen; that of Generator may change between releases.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def fixed_order(n: int, seed: int) -> np.ndarray:
    """A permutation of range(n), (n,) int64, that depends on (n, seed) alone."""
    return np.random.RandomState(seed).permutation(n).astype(np.int64)


def stratified_split(labels: np.ndarray, shares: Sequence[float], seed: int) -> list[np.ndarray]:
    """Row numbers of len(shares) disjoint parts that together hold every row.

    labels  (n,) class of each row; every class is divided by `shares`, rounded, the last part takes the rest
    shares  the parts' shares of a class; they sum to one
    seed    fixes the choice

    Each part is int64, in ascending order.
    """
    cuts = np.cumsum(shares)[:-1]
    parts: list[list[np.ndarray]] = [[] for _ in shares]
    order = fixed_order(len(labels), seed)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        for part, chosen in zip(parts, np.split(rows, np.rint(cuts * len(rows)).astype(int)), strict=True):
            part.append(chosen)
    return [np.sort(np.concatenate(part)) for part in parts]
