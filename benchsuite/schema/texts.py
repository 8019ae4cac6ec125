"""Texts that come from plugins: what a message, a journal and a terminal can hold, and how much of it."""

from __future__ import annotations

import re
import traceback
from typing import Any

MOST_REASON = 2_000
"""Characters of a sentence that says why something is not as it should be."""
MOST_WORD = 200
"""Characters of a name that stands in tables, such as a kernel's."""
MOST_FACT = 100_000
"""Characters of one fact of a record's environment; the list of installed distributions is the longest."""
MOST_TRACE = 20_000
"""Characters of an exception with its traceback, and of a worker's output."""
MOST_ENTRIES = 10_000
"""Scalars, verdicts or facts of one record."""
NO_REASON = "no reason was given"

_LINE_END = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def printable(text: str) -> str:
    """Text without lone surrogates, which no message and no record may hold."""
    return text.encode(errors="replace").decode()


def capped(text: str, most: int) -> str:
    """Printable text of at most `most` characters: of a longer one the beginning and the end, and between them
    how many characters are left out."""
    if len(text) <= most:
        return text if text.isascii() else printable(text)
    note = f" [... {len(text) - most:,} characters are left out ...] "
    head = max((most - len(note)) // 2, 0)
    tail = max(most - len(note) - head, 0)
    return printable(f"{text[:head]}{note}{text[len(text) - tail :]}")


def sentence(text: object, most: int = MOST_REASON) -> str:
    """A reason as a message can hold it. One that is blank says so, one that is no text is shown as Python
    shows it."""
    told = capped(text if isinstance(text, str) else repr(text), most).strip()
    return told or NO_REASON


def described(error: BaseException) -> str:
    """`TypeName: first line` of an exception, also of one whose own text cannot be had."""
    try:
        text = str(error).strip()
    except Exception as other:  # a plugin's __str__ may fail in any way
        text = f"its text cannot be had: {type(other).__name__}"
    # not splitlines(), which would make an object of each line of a text of megabytes
    first = text[: found.start()] if (found := _LINE_END.search(text)) else text
    return capped(f"{type(error).__name__}: {first}".rstrip(": "), MOST_REASON)


def traced(error: BaseException) -> str:
    """An exception with its traceback, also one whose own text cannot be had."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # a plugin's __str__ may fail in any way
        text = "".join(traceback.format_tb(error.__traceback__)) + described(error)
    return capped(text, MOST_TRACE)


def cleaned(value: Any) -> Any:
    """Plain data (dicts, lists, texts, numbers) in which every text is printable."""
    if isinstance(value, str):
        return value if value.isascii() else printable(value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(one) for one in value]
    return value
