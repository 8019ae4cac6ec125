"""A link whose text is the name of a file shows the title of that page; on GitHub it shows the name."""

from __future__ import annotations

import re
from typing import Any

NAMED = re.compile(r"\[(\w+\.md)\]\(((?:[\w./-]*/)?\1(?:#[\w-]+)?)\)")


def titled(text: str) -> str:
    """The page with the text of such links left out, which Sphinx then fills."""
    return NAMED.sub(r"[](\2)", text)


def change(_app: Any, _page: str, source: list[str]) -> None:
    source[0] = titled(source[0])


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", change)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
