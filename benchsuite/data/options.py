"""Checking a task's options, in the words a user needs."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.errors import RequestError


def whole_number(task: str, options: Mapping[str, bool | int | float | str], name: str, least: int) -> int:
    """The option `name`, a whole number of at least `least`.

    Raises RequestError for anything else; True and False are no numbers.
    """
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise RequestError(f"{task}: option {name} is {value!r}; it must be a whole number, {least} or more")
    return value
