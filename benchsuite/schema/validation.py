"""What a pydantic error says, in the words that a message of benchsuite uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from benchsuite.schema.texts import capped

_RAISED_HERE = ("value_error", "assertion_error")


MOST_PLACE = 100
"""Characters of a place that a message shows."""


def first_problem(error: ValidationError) -> str:
    """The first of an error's problems with its place: `scalars.loss: input should be a number`."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(part for part in (capped(place_of(first), MOST_PLACE), problem_of(first)) if part)


def place_of(detail: Mapping[str, Any]) -> str:
    """The path of one of `ValidationError.errors()`, with dots between its parts."""
    return ".".join(str(part) for part in detail["loc"])


def problem_of(detail: Mapping[str, Any]) -> str:
    """The text of one of `ValidationError.errors()`, to stand behind a colon: a validator's own text as it was
    raised, pydantic's with a small first letter."""
    if detail["type"] in _RAISED_HERE and "error" in detail.get("ctx", {}):
        return str(detail["ctx"]["error"])
    text = str(detail["msg"])
    return text[:1].lower() + text[1:]
