"""What a line of the journal that is no record still shows: what is wrong with it, and its trial."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from benchsuite.contracts import Damage
from benchsuite.schema import Record, Trial
from benchsuite.schema.texts import MOST_REASON, capped, described
from benchsuite.schema.validation import first_problem

_TRIAL = re.compile(r'"trial":\s*(?=\{)')
_ID = re.compile(r'"id":\s*"([0-9a-f]{16})"')


def read_damage(line: int, text: bytes, error: Exception) -> Damage:
    """What is wrong with a line, and which trial it is of where enough of it is left."""
    if not text.strip():
        return Damage(line, "it is blank")
    trial, label = _trial(text.decode(errors="replace"))
    return Damage(line, _problem(error), trial, label)


def _problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return described(error)
    if any(one["type"] == "json_invalid" for one in error.errors(include_url=False, include_input=False)):
        return "it is not JSON"
    return capped(first_problem(error), MOST_REASON)


def find_others(damage: Sequence[Damage], records: Mapping[int, Record]) -> list[Damage]:
    """The damage, with what is used instead of each line.

    :param records: line -> record.
    """
    if not damage:
        return []
    lines = {record.trial_id: line for line, record in records.items()}
    found = []
    for one in damage:
        other = lines.get(one.trial)
        instead = "" if other is None else "later" if other > one.line else "earlier"
        found.append(replace(one, instead=instead))
    return found


def _trial(text: str) -> tuple[str, str]:
    """Id and label of the trial that a record's JSON begins with, "" for what is lost of them."""
    named = _ID.search(text)
    given = named[1] if named else ""
    begin = _TRIAL.search(text)
    try:
        fields, _ = json.JSONDecoder().raw_decode(text, begin.end() if begin else len(text))
        trial = Trial.model_validate(fields)
        return given or trial.id, capped(trial.label, MOST_REASON)
    except Exception:  # besides ValueError, deep nesting and numbers that no float can hold raise others
        return given, ""
