"""study.json: read, and checked so far as its readers rely on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchsuite.errors import StoreError

_KINDS: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "name": (str,),
    "created": (int, float),
    "matrix": (dict,),
    "matrix.text": (str,),
    "environment": (dict,),
}
"""Field -> what it holds, where it is there."""
_WORDS = {str: "a text", int: "a number", float: "a number", dict: "an object"}

LATEST = 253402300799.0
"""POSIX seconds at the end of the year 9999: later times have no date."""


def read_description(path: Path) -> dict[str, Any]:
    """What study.json holds, or {} where it is missing. Raises StoreError when it cannot be read, or holds
    something else than runs write."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}; mend it or remove it") from error
    if not isinstance(found, dict):
        raise StoreError(f"{path} holds no JSON object; mend it or remove it")
    for field, kinds in _KINDS.items():
        value = _value(found, field)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise StoreError(
                f"{path}: {field} is {_WORDS[kinds[0]]}, not {value!r:.80}; mend it or remove it"
            )
    if not 0 <= (found.get("created") or 0) <= LATEST:
        raise StoreError(
            f"{path}: created is POSIX seconds, not {found['created']!r:.80}; mend it or remove it"
        )
    return found


def _value(table: Mapping[str, Any], field: str) -> Any:
    """The value at a dotted path; None where there is none."""
    first, _, rest = field.partition(".")
    value = table.get(first)
    return _value(value, rest) if rest and isinstance(value, dict) else None if rest else value
