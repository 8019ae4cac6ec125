"""The text of execution.choices: `products=onednn tanh=plain`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CHOICE = re.compile(r"[a-z][a-z0-9_]*=[A-Za-z0-9_.+-]+")


def parse_choices(text: str) -> dict[str, str]:
    """Name of a choice -> what is chosen.

    Raises ValueError for what is not `NAME=VALUE` between blanks, and for a name that is given twice.
    """
    found: dict[str, str] = {}
    for part in text.split():
        if not _CHOICE.fullmatch(part):
            raise ValueError(
                f"choices are NAME=VALUE with blanks between them, such as products=blas, not {part!r}"
            )
        name, _, value = part.partition("=")
        if name in found:
            raise ValueError(f"choice {name!r} is given twice: {text!r}")
        found[name] = value
    return found


def format_choices(chosen: Mapping[str, str]) -> str:
    """The inverse of parse_choices(), by name."""
    return " ".join(f"{name}={chosen[name]}" for name in sorted(chosen))
