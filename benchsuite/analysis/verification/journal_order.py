"""A journal as a run writes it: every attempt once, oldest first, not before its study, not in the future."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.schema import Record

SLACK_SECONDS = 300.0
"""Clocks are set, and workers that end at once are written in any order."""
_ATTEMPT = re.compile(r"[0-9a-f]{8}")


def journal_faults(
    records: Sequence[Record], description: Mapping[str, Any], *, merged: bool, now: float
) -> Iterator[str]:
    """What is wrong with the order of a journal.

    :param records: as they are written. :param description: what study.json holds. :param merged: whether the
        study was merged from others: then records are older than it, and in another order.
    :param now: POSIX seconds.
    """
    seen: set[tuple[str, str]] = set()
    attempts: dict[str, str] = {}
    latest: dict[tuple[str, Machine], float] = {}
    created = description.get("created")
    begun = float(created) if isinstance(created, int | float) and not merged else 0.0
    last = 0.0
    for record in records:
        name = f"{record.trial_id} ({record.trial.label})"
        key = (record.trial_id, record.attempt)
        if key in seen:
            yield f"{name}: attempt {record.attempt or 'without a name'} is written twice"
        seen.add(key)
        if record.attempt:
            if not _ATTEMPT.fullmatch(record.attempt):
                yield f"{name}: {record.attempt!r} names no attempt"
            elif attempts.setdefault(record.attempt, record.trial_id) != record.trial_id:
                yield f"{name}: attempt {record.attempt} belongs to {attempts[record.attempt]} as well"
        yield from _times(record, name, begun, now)
        place = (record.trial_id, machine_of(record.environment))
        if record.finished < latest.get(place, 0.0) - SLACK_SECONDS:
            yield f"{name}: is written behind an attempt of the trial that ended later"
        latest[place] = max(record.finished, latest.get(place, 0.0))
        if not merged:
            if record.finished < last - SLACK_SECONDS:
                yield f"{name}: ended {last - record.finished:.0f} s before the record above it"
            last = max(last, record.finished)


def _times(record: Record, name: str, begun: float, now: float) -> Iterator[str]:
    if record.finished < record.started:
        yield f"{name}: ended before it began"
    if record.finished > now + SLACK_SECONDS:
        yield f"{name}: ends in the future"
    if record.started and record.started < begun - SLACK_SECONDS:
        yield f"{name}: began {begun - record.started:.0f} s before its study was made"


def identity_faults(records: Sequence[Record]) -> Iterator[str]:
    """Records whose id is not the hash of their trial."""
    for record in records:
        if record.id != record.trial.id:
            yield f"{record.id} is written as the id of {record.trial.label}; its content has {record.trial.id}"
