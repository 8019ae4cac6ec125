"""From text to words, by rule: no model, no language resource."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CONTRACTION = re.compile(r"n['’]t\b", re.IGNORECASE)
_WORD = re.compile(r"n't|'[^\W\d_]+|\w+(?:-\w+)*|[^\w\s]", re.IGNORECASE)


def words(text: str, lower_case: bool = True) -> list[str]:
    """Words, numbers and single signs of `text`, in order.

    Contractions are parted as in the Penn Treebank, so that running text ("isn't") and text that is already
    tokenised ("is n't") give the same words and a negation is always a word of its own.
    """
    if lower_case:
        text = text.lower()
    if "n'" in text or "’" in text or "N'" in text:
        text = _CONTRACTION.sub(" n't", text).replace("’", "'")
    return _WORD.findall(text)


JOINER = "\uffed"
"""The mark on the side of a token where no space is (Klein et al. 2017, OpenNMT)."""
_PIECE = re.compile(r"(\w+)|[^\w\s]")


def marked_words(text: str, lower_case: bool = True) -> list[str]:
    """Words and single signs of `text`, in order, from which join_words() makes the text again.

    Signs carry the marks, words never do, so a word is one entry of a vocabulary wherever it is: `Well-fed
    (now).` is `well`, `￭-￭`, `fed`, `(￭`, `now`, `￭)`, `￭.`
    """
    if lower_case:
        text = text.lower()
    found: list[str] = []
    for chunk in text.replace(JOINER, " ").split():
        if chunk.isalnum():  # most are
            found.append(chunk)
        else:
            _mark(chunk, found)
    return found


def _mark(chunk: str, found: list[str]) -> None:
    """Append the words and signs of text without white space."""
    first = len(found)
    for match in _PIECE.finditer(chunk):
        if len(found) == first:
            found.append(match[0])
        elif match[1]:
            found[-1] += JOINER  # a word can only touch a sign
            found.append(match[0])
        else:
            found.append(JOINER + match[0])


def join_words(pieces: Iterable[str]) -> str:
    """The text that marked_words() was given: its case as there, one space for each white space."""
    text, joined = "", True
    for piece in pieces:
        bare = piece.strip(JOINER)
        text += bare if joined or piece.startswith(JOINER) else f" {bare}"
        joined = piece.endswith(JOINER)
    return text
