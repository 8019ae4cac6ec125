"""Numbers in words: a language with a rule for every case, and no file to download.

0 to 99,999, as num2words spells them. What makes them a translation: German puts units before tens in one
long word, Spanish has tens with and without `y`, French counts `quatre-vingt-dix-neuf`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchsuite.data import fixed_order
from benchsuite_translation.corpora import Corpus, Pairs


@dataclass(frozen=True)
class Range:
    """The numbers 0 to `largest`, and how many of them the training, validation and test split have; no number
    is in two of them."""

    largest: int
    sizes: tuple[int, int, int]


NUMBERS = Range(99_999, (8000, 500, 1000))
SMALL_NUMBERS = Range(999, (700, 100, 200))
"""Few words in short rows: a network without attention learns them in seconds."""

_SEED = 1901

GERMAN_PARTS = re.compile(
    "(?:drei|vier|fünf|sech|sieb|acht|neun)zehn|zehn|elf|zwölf"
    "|(?:zwan|vier|fünf|sech|sieb|acht|neun)zig|dreißig"
    "|null|eins|ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|und|hundert|tausend"
)
"""What German number words are made of."""


def numbers(source: str, target: str, among: Range = NUMBERS) -> Corpus:
    """Number words in the languages `source` and `target`, codes that num2words knows."""
    from num2words import num2words

    ends = np.cumsum((0, *among.sizes))
    order = fixed_order(among.largest + 1, _SEED)
    train, validation, test = (
        Pairs(
            [num2words(number, lang=source) for number in chosen],
            [(num2words(number, lang=target),) for number in chosen],
        )
        for chosen in (order[first:stop].tolist() for first, stop in pairwise(ends))
    )
    parts = GERMAN_PARTS if target == "de" else None
    return Corpus("generated; no rights reserved", train, validation, test, parts)
