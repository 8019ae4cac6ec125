"""Makes texts fit for any page, picture or file."""

from __future__ import annotations

import math
import re
from typing import Any

REPLACED = "\N{REPLACEMENT CHARACTER}"
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
LONGEST_TEXT = 120
"""Characters of a text in a chart's data: a longer one would make the picture as wide as itself."""


def clean(text: str) -> str:
    """The text without control characters and unpaired surrogates, which no page and no picture may hold."""
    return _UNFIT.sub(REPLACED, text)


def presentable(data: Any, in_data: bool = False) -> Any:
    """A chart's specification with clean texts, none of its data's longer than LONGEST_TEXT, and None in place
    of numbers that are not finite."""
    if isinstance(data, str):
        text = clean(data)
        return f"{text[:LONGEST_TEXT]}…" if in_data and len(text) > LONGEST_TEXT else text
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {
            clean(str(key)): presentable(value, in_data or key in ("values", "datasets"))
            for key, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [presentable(value, in_data) for value in data]
    return data
