"""Pieces of Markdown that generated parts are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table in Markdown. What would end a cell or begin markup is escaped."""
    lines = [list(heads)]
    lines.append(["---"] * len(lines[0]))
    lines.extend([str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: object) -> str:
    """Text as code, or nothing where there is none."""
    return f"`{text}`" if str(text) else ""
