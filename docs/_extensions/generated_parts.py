"""A line `<!-- generated: NAME WORDS -->` of a page is replaced by what the code says about itself."""

from __future__ import annotations

import re
from typing import Any

from _extensions.generators import GENERATORS

PLACE = re.compile(r"^<!-- generated: (\w+)((?: \w+)*) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """The page with its generated parts. Raises KeyError for a name that no generator has."""
    return PLACE.sub(lambda place: GENERATORS[place[1]](*place[2].split()), text)


def fill(_app: Any, _page: str, source: list[str]) -> None:
    source[0] = filled(source[0])


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
