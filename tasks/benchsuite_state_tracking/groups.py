"""Finite groups as tables: their elements' names, and the product of every two of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np


@dataclass(frozen=True)
class Group:
    """A group whose element 0 is the identity.

    names  what each of its n elements is called
    next   (n, n) int32: next[state, letter] is the state after `letter`
    """

    names: tuple[str, ...]
    next: np.ndarray

    def states(self, words: np.ndarray) -> np.ndarray:
        """(n, T) int32: the state after each letter of `words` (n, T), the identity before the first."""
        states = np.empty_like(words)
        state = np.zeros(len(words), np.int32)
        for step in range(words.shape[1]):
            state = self.next[state, words[:, step]]
            states[:, step] = state
        return states


def cyclic(modulus: int) -> Group:
    """Numbers from 0 to `modulus` - 1 under addition."""
    numbers = np.arange(modulus, dtype=np.int32)
    return Group(tuple(map(str, range(modulus))), (numbers[:, None] + numbers) % np.int32(modulus))


def symmetric(things: int) -> Group:
    """The permutations of `things` things in lexicographic order, named in one-line notation: `231` sends the
    first place to 2, the second to 3, the third to 1.

    A letter is applied after the state: (letter state)(i) = letter(state(i)).
    """
    found = np.array(list(permutations(range(things))))
    weights = things ** np.arange(things)[::-1]
    codes = found @ weights  # ascending, because the order is lexicographic
    after = found[None, :, :].repeat(len(found), axis=0)  # [state, letter]: the letter
    products = np.take_along_axis(after, found[:, None, :].repeat(len(found), axis=1), axis=2)
    table = np.searchsorted(codes, products @ weights).astype(np.int32)
    return Group(tuple("".join(str(place + 1) for place in row) for row in found.tolist()), table)
