"""Fixed splits: the same examples in the same split on every machine and in every year.

They draw from NumPy's RandomState, whose stream is frozen; that of Generator may change between releases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np

from benchsuite.errors import RequestError

_MOST_DRAWS = 500
"""How many times `count` rows are drawn before a part counts as too small; as a rule 16 times are enough."""


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


def rows_apart(
    draw: Callable[[np.random.RandomState, int], np.ndarray], count: int, part: int, seed: int
) -> np.ndarray:
    """`count` rows drawn for one of three parts (0, 1, 2) such that no row can be in two of them.

    draw   draw(random, n) gives n rows (n, ...) of int32
    part   number of the split; each has a stream of its own, so that none depends on the size of another
    seed   fixes the rows

    A digest of a row decides which part it may be in: 14 of 16 rows may be in part 0, one each in parts 1
    and 2. Rows of another part are drawn again. Within a part, rows may repeat.

    Raises RequestError where that finds too few rows, which means that hardly any different ones exist.
    """
    random = np.random.RandomState([seed, part])
    found: list[np.ndarray] = []
    missing = count
    for _ in range(_MOST_DRAWS):
        rows = np.ascontiguousarray(draw(random, count), "<i4")
        kept = rows[[_part_of(row) == part for row in rows]][:missing]
        found.append(kept)
        missing -= len(kept)
        if not missing:
            return np.concatenate(found).astype(np.int32, copy=False)
    raise RequestError(
        f"the options allow too few different sequences: of {_MOST_DRAWS * count:,} drawn only "
        f"{count - missing:,} of {count:,} could be in part {part} of the splits, which share no sequence; ask "
        "for longer sequences or more symbols"
    )


def _part_of(row: np.ndarray) -> int:
    """The part that a row of int32 may be in, the same on every machine."""
    return max(0, blake2b(row.tobytes(), digest_size=1).digest()[0] % 16 - 13)
