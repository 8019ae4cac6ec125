"""What every entry that a plugin registers must be, checked where it is made: each function raises PluginError
that names the entry, the field, what was given and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from benchsuite.errors import PluginError

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def check_name(kind: str, name: object) -> None:
    """A name is written in matrices, filters and file names."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == "none":
        raise PluginError(
            f"{kind} name {name!r}: must be lower-case letters, digits, _ and -, a letter first, and "
            f"not 'none'"
        )


def check_text(entry: object, *fields: str) -> None:
    """Each field is a text that is not empty."""
    for field in fields:
        value = getattr(entry, field)
        if not isinstance(value, str) or not value.strip():
            raise _problem(entry, field, value, "a text that is not empty")


def check_function(entry: object, *fields: str) -> None:
    """Each field can be called."""
    for field in fields:
        value = getattr(entry, field)
        if not callable(value):
            raise _problem(entry, field, value, "a function")


def check_tuple(entry: object, field: str, of: type) -> None:
    """The field is a tuple of values of one type. A text is none, though Python would read its letters."""
    value = getattr(entry, field)
    if not isinstance(value, tuple) or not all(isinstance(each, of) for each in value):
        raise _problem(entry, field, value, f"a tuple of {of.__name__}")


def check_mapping(entry: object, field: str, of: type) -> None:
    """The field is a mapping from texts to values of one type."""
    value = getattr(entry, field)
    if not isinstance(value, Mapping):
        raise _problem(entry, field, value, f"a mapping from text to {of.__name__}")
    for name, each in value.items():
        if not isinstance(name, str) or not isinstance(each, of):
            raise _problem(
                entry, f"{field}[{name!r}]", each, f"of type {of.__name__}, with a text as its key"
            )


def check_not_empty(entry: object, *fields: str) -> None:
    """Each field, a tuple or a mapping, holds something."""
    for field in fields:
        value = getattr(entry, field)
        if not value:
            raise _problem(entry, field, value, "not empty")


def check_optional_text(entry: object, *fields: str) -> None:
    """Each field is None, or a text that is not empty."""
    for field in fields:
        value = getattr(entry, field)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise _problem(entry, field, value, "a text that is not empty, or None")


def check_flag(entry: object, *fields: str) -> None:
    """Each field is True or False."""
    for field in fields:
        value = getattr(entry, field)
        if not isinstance(value, bool):
            raise _problem(entry, field, value, "True or False")


def check_known(entry: object, field: str, allowed: Iterable[str]) -> None:
    """Every value of the field is one of `allowed`."""
    names = list(allowed)
    for value in getattr(entry, field):
        if value not in names:
            raise _problem(entry, field, value, f"one of {', '.join(names) or 'none'}")


def check_one_of(entry: object, field: str, allowed: Iterable[str]) -> None:
    """The field is one of `allowed`."""
    names = list(allowed)
    value = getattr(entry, field)
    if value not in names:
        raise _problem(entry, field, value, f"one of {', '.join(names) or 'none'}")


def _problem(entry: object, field: str, value: object, allowed: str) -> PluginError:
    kind = type(entry).__name__.removesuffix("Entry").lower()
    name = getattr(entry, "name", None)
    shown = repr(value)
    if len(shown) > 80:
        shown = f"{shown[:77]}..."
    return PluginError(f"{kind} {name!r}: {field} is {shown}, must be {allowed}")
