"""From text to words, by rule: no model, no language resource."""

from __future__ import annotations

import re

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
