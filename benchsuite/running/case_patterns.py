"""Which cases of a check are meant: names, and patterns of names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchsuite.errors import RequestError, nearest


def matches(pattern: str, name: str) -> bool:
    """Whether `pattern` means the case `name`: it is the name, the name of its check (`gradients` means every
    `gradients[...]`), or a text with `*` (any characters) and `?` (one character) that fits the whole name.
    Brackets are only brackets, as names have them."""
    if pattern in (name, name.partition("[")[0]):
        return True
    if "*" not in pattern and "?" not in pattern:
        return False
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, name) is not None


def chosen(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that any of the patterns means; all of them where there is no pattern."""
    return [name for name in names if not patterns or any(matches(pattern, name) for pattern in patterns)]


def check_patterns(names: Sequence[str], patterns: Sequence[str]) -> None:
    """Raises RequestError, with the nearest names, for a pattern that means none of the names."""
    for pattern in patterns:
        if any(matches(pattern, name) for name in names):
            continue
        checks = {name.partition("[")[0] for name in names}
        close = nearest(pattern, [*names, *checks])
        hint = f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else "."
        raise RequestError(f"no case is called {pattern!r}{hint} --list-cases prints them all.")
