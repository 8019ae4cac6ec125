"""The baseline that remembers a few characters: interpolated n-grams, modified Kneser-Ney smoothing.

    p_n(c | h) = (count(h c) - D(count(h c)) + sum_x D(count(h x)) p_{n-1}(c | h')) / sum_x count(h x)

h are the n - 1 characters before c, h' the last n - 2 of them. Below the highest order count(h c) is not how
often h c occurs but how many different characters come before it. D(1), D(2) and D(3 or more) are estimated
from the numbers of n-grams counted once to four times. A history that was never seen leaves p_{n-1} as it is;
p_0 is uniform. Chen and Goodman, Computer Speech and Language 1999, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.errors import DataError

_USUAL = np.array([0.0, 0.5, 1.0, 1.5])
"""Discounts by count where a text is too short to estimate them."""


def ngram_scores(
    train: np.ndarray, test: np.ndarray, vocabulary: int, orders: Sequence[int]
) -> dict[int, np.ndarray]:
    """Log-probabilities (m - 1, vocabulary) float64 of the characters after test[0], for each n of `orders`.

    train  (k,) ids in [0, vocabulary), the text that is counted
    test   (m,) ids. The first ones have a history shorter than n - 1: they take a lower order

    n-grams are numbered in base `vocabulary`. Raises DataError where vocabulary ** max(orders) needs more than
    63 bits.
    """
    highest = max(orders)
    if vocabulary**highest >= 2**63:
        raise DataError(
            f"language: the training text has {vocabulary} different characters; {highest}-grams of them are "
            f"numbered in 63 bits, which is enough for fewer than {math.ceil(2 ** (63 / highest))}"
        )
    lower = np.full((len(test) - 1, vocabulary), 1.0 / vocabulary)
    grams, counts = np.unique(_numbers(train, 1, vocabulary), return_counts=True)
    found = {}
    for n in range(1, highest + 1):
        histories = _numbers(test[:-1], n - 1, vocabulary)[-len(lower) :]
        if n in orders:
            found[n] = np.log(_Table.count(grams, counts, vocabulary).refined(lower, histories))
        if n < highest:
            longer, longer_counts = np.unique(_numbers(train, n + 1, vocabulary), return_counts=True)
            before = np.unique(longer % vocabulary**n, return_counts=True)
            lower = _Table.count(*before, vocabulary).refined(lower, histories)
            grams, counts = longer, longer_counts
    return found


def _numbers(ids: np.ndarray, n: int, vocabulary: int) -> np.ndarray:
    """The n-grams of `ids` (m,) in order, as numbers (m - n + 1,) int64 in base `vocabulary`."""
    numbers = np.zeros(max(len(ids) - n + 1, 0), np.int64)
    for place in range(n):
        numbers = numbers * vocabulary + ids[place : place + len(numbers)]
    return numbers


@dataclass(frozen=True)
class _Table:
    """The n-grams of one order, by history.

    histories  (H,) ascending;  first, kinds (H,) where a history's n-grams begin and how many there are
    kept       (G,) count less discount of each n-gram;  last (G,) its last character
    freed      (H,) the discounts' sum;  total (H,) the counts' sum
    """

    histories: np.ndarray
    first: np.ndarray
    kinds: np.ndarray
    kept: np.ndarray
    last: np.ndarray
    freed: np.ndarray
    total: np.ndarray

    @classmethod
    def count(cls, grams: np.ndarray, counts: np.ndarray, vocabulary: int) -> _Table:
        discounts = _discounts(counts)[np.minimum(counts, 3)]
        histories, first, kinds = np.unique(grams // vocabulary, return_index=True, return_counts=True)
        freed, total = np.add.reduceat(discounts, first), np.add.reduceat(counts, first)
        return cls(histories, first, kinds, counts - discounts, grams % vocabulary, freed, total)

    def refined(self, lower: np.ndarray, histories: np.ndarray) -> np.ndarray:
        """p_n (m, V) from p_{n-1} `lower` (m, V); `histories` (k,) are those of the last k rows."""
        at = np.minimum(np.searchsorted(self.histories, histories), len(self.histories) - 1)
        seen = np.flatnonzero(self.histories[at] == histories)
        rows, at = len(lower) - len(histories) + seen, at[seen]
        kinds = self.kinds[at]
        # every n-gram of every row's history, one after the other
        of_row = np.repeat(np.arange(len(rows)), kinds)
        within = np.arange(len(of_row)) - np.repeat(np.cumsum(kinds) - kinds, kinds)
        gram = self.first[at][of_row] + within
        mass = lower[rows] * self.freed[at][:, None]
        mass[of_row, self.last[gram]] += self.kept[gram]
        refined = lower.copy()
        refined[rows] = mass / self.total[at][:, None]
        return refined


def _discounts(counts: np.ndarray) -> np.ndarray:
    """(4,): by count 0, 1, 2, 3 or more."""
    once, twice, thrice, four = (float(np.sum(counts == times)) for times in (1, 2, 3, 4))
    if min(once, twice, thrice) == 0:
        return _USUAL
    share = once / (once + 2 * twice)
    found = np.array(
        [0.0, 1 - 2 * share * twice / once, 2 - 3 * share * thrice / twice, 3 - 4 * share * four / thrice]
    )
    return found if np.all(found[1:] > 0) else _USUAL
