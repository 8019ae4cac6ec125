"""How large a record may be: what plugins say is cut to it before the record is sent or stored."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from benchsuite.schema.record import Record
from benchsuite.schema.texts import MOST_ENTRIES, MOST_FACT, MOST_REASON, MOST_TRACE, MOST_WORD, capped

_TEXTS = {"reason": MOST_REASON, "exception": MOST_TRACE, "output_tail": MOST_TRACE, "kernel": MOST_WORD}
_TABLES = {"scalars": 0, "verdicts": MOST_REASON, "environment": MOST_FACT}
"""Field -> characters that its values may have."""


def bounded(record: Record) -> Record:
    """The record with its texts printable and no longer than a reader needs; the record itself where nothing
    is to be changed. Curves, exhibits and artifacts are kept as they are."""
    changes: dict[str, Any] = {}
    for name, most in _TEXTS.items():
        text = getattr(record, name)
        if (kept := capped(text, most)) != text:
            changes[name] = kept
    for name, most in _TABLES.items():
        table = getattr(record, name)
        if (found := _bounded(table, most)) is not None:
            changes[name] = found
    return record.model_copy(update=changes) if changes else record


def _bounded(table: Mapping[str, Any], most: int) -> dict[str, Any] | None:
    """The table within its bounds, or None where it is within them."""
    made = {
        capped(name, MOST_REASON): capped(value, most) if isinstance(value, str) else value
        for name, value in islice(table.items(), MOST_ENTRIES)
    }
    return None if len(made) == len(table) and made == table else made
