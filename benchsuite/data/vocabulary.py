"""Vocabulary: words by number, made from a training split and from nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from benchsuite.contracts.dataset import Ragged

PADDING = 0
"""Id of the steps beyond a sequence's end."""
UNKNOWN = 1
"""Id of every word that is not in the vocabulary."""
START, END = 2, 3
"""Ids of the token before a decoder's first one, and of its last token."""
SEQUENCE_MARKS = ("<s>", "</s>")
"""The texts of START and END."""

Documents = Sequence[Sequence[str]]
"""Texts as sequences of words."""


@dataclass(frozen=True)
class Vocabulary:
    """`words[i]` is the text of id i; ids 0 and 1 are `<pad>` and `<unk>`. In a decoder's vocabulary ids 2 and
    3 are `<s>` and `</s>`."""

    words: tuple[str, ...]

    @classmethod
    def build(
        cls,
        documents: Iterable[Sequence[str]],
        min_count: int = 1,
        size: int | None = None,
        decoder: bool = False,
    ) -> Vocabulary:
        """The words that occur at least `min_count` times, the most frequent first, equal counts by alphabet.

        documents  the training split's sequences of words
        size       most ids, the special ones included; None for no limit
        decoder    a decoder generates these sequences: they have START and END
        """
        counts = Counter(chain.from_iterable(documents))
        frequent = sorted(
            (word for word, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w)
        )
        special = ("<pad>", "<unk>", *(SEQUENCE_MARKS if decoder else ()))
        most = None if size is None else max(size - len(special), 0)
        return cls(special + tuple(frequent[:most]))

    @cached_property
    def ids(self) -> dict[str, int]:
        """Word -> id."""
        return {word: index for index, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, documents: Documents) -> tuple[np.ndarray, np.ndarray]:
        """All documents, one after the other: ids (sum of lengths,) int32, lengths (n,) int64."""
        lengths = np.fromiter(map(len, documents), np.int64, len(documents))
        find = self.ids.get
        ids = (find(word, UNKNOWN) for word in chain.from_iterable(documents))
        return np.fromiter(ids, np.int32, int(lengths.sum())), lengths

    def ragged(self, documents: Documents) -> Ragged:
        """The documents as sequences of ids, int32."""
        values, lengths = self.encode(documents)
        return Ragged(values, np.cumsum(lengths) - lengths, lengths)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words up to END or padding, whichever comes first; neither is given back."""
        found = []
        for index in ids:
            if index == PADDING or (index == END and self.words[END : END + 1] == SEQUENCE_MARKS[1:]):
                break
            found.append(self.words[index])
        return found
