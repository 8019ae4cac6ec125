"""Docstrings as reStructuredText: tables of names, and `:param:` fields that share a line."""

from __future__ import annotations

import re
from typing import Any

FIRST = re.compile(r"^(\w[\w., {}]*?) {2,}(?=\S)")
FIELD = re.compile(r" +(?=:(?:param \w+|returns|raises \w+):)")


def converted(text: str) -> str:
    """The docstring with every paragraph in a form that Sphinx reads."""
    return "\n\n".join(_paragraph(part) for part in re.split(r"\n\s*\n", text))


def _paragraph(text: str) -> str:
    if text.startswith(":"):
        return "\n".join(FIELD.split(" ".join(line.strip() for line in text.splitlines())))
    first = FIRST.match(text)
    return _definitions(text.splitlines(), first.end()) if first else text


def _definitions(lines: list[str], column: int) -> str:
    """Names with their meanings, which begin at `column`; lines that are indented go on."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith(" ") and found:
            found[-1][1].append(line.strip())
        elif len(line) > column and line[column - 1] == " " and line[column] != " ":
            found.append((line[:column].strip(), [line[column:]]))
        else:  # a name that is longer than its column
            found.append((line.strip(), []))
    return "\n".join(f"`{name}`\n    {' '.join(meaning)}" for name, meaning in found)


def convert(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = [*converted("\n".join(lines).strip()).splitlines(), ""]


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", convert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
