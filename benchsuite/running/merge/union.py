"""The records of several journals as one: each attempt once, and for each trial and machine one that counts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchsuite.analysis.identity import HARDWARE
from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.errors import StoreError
from benchsuite.running.merge.source import Source
from benchsuite.schema import Record, Status

Keep = Literal["newest", "all"]
KEEP: tuple[Keep, ...] = ("newest", "all")
"""What becomes of several records of one trial on one machine. `newest` leaves the older ones out, `all` keeps
them in the journal as records that were replaced."""
MOST_CONFLICTS = 10

Attempt = tuple[str, str]
"""Trial id and attempt: tells a record from every other one."""


@dataclass
class _Chain:
    """The attempts of one trial on one machine: by source, oldest first."""

    by_source: dict[str, list[Attempt]] = field(default_factory=dict)

    def leaders(self) -> set[Attempt]:
        """The last attempts of the sources, without those that another source replaced later."""
        last = {attempts[-1] for attempts in self.by_source.values()}
        replaced = {one for attempts in self.by_source.values() for one in attempts[:-1]}
        return (last - replaced) or last


def unite(
    sources: Sequence[Source], keep: Keep | None, order: Mapping[str, int], home: Machine
) -> tuple[list[Record], set[Attempt]]:
    """The journal of the merged study, and the attempts that count: those whose files come along.

    What was replaced comes first, then what counts, each by `order` (trial id -> place), then by time. Neither
    the order of the sources nor how often one is given matters.

    :param home: where records are taken to be from that do not say it.

    Raises StoreError where two records that differ claim to be one attempt; and unless `keep` is given, where a
    trial has two records of one machine of which neither replaced the other.
    """
    records = _by_attempt(sources)
    chains: dict[tuple[str, Machine], _Chain] = {}
    for source in sources:
        for one in source.records:
            key = (one.trial_id, one.attempt)
            machine = machine_of(records[key].environment)
            place = (one.trial_id, machine if machine.facts else home)
            chain = chains.setdefault(place, _Chain())
            chain.by_source.setdefault(source.name, []).append(key)
    counting: set[Attempt] = set()
    dropped: set[Attempt] = set()
    conflicts: list[tuple[Machine, list[Record]]] = []
    for (_, machine), chain in chains.items():
        leaders = sorted((records[key] for key in chain.leaders()), key=_age)
        counting.add((leaders[-1].trial_id, leaders[-1].attempt))
        if len(leaders) > 1:
            if not _say_the_same(leaders):
                conflicts.append((machine, leaders))
            if keep != "all":
                dropped |= {(one.trial_id, one.attempt) for one in leaders[:-1]}
    if conflicts and keep is None:
        raise StoreError(_conflict(conflicts, sources))

    def rank(key: Attempt) -> tuple[bool, int, float, str, str]:
        record = records[key]
        return key in counting, order.get(record.trial_id, len(order)), *_age(record)

    return [records[key] for key in sorted(records.keys() - dropped, key=rank)], counting


def _by_attempt(sources: Iterable[Source]) -> dict[Attempt, Record]:
    """Every record once; of two that differ only in that one of them knows its machine, that one."""
    found: dict[Attempt, tuple[Record, str]] = {}
    for source in sources:
        for record in source.records:
            key = (record.trial_id, record.attempt)
            known, name = found.setdefault(key, (record, source.name))
            if known is record or known == record:
                continue
            if _without_machine(known) != _without_machine(record):
                raise StoreError(
                    f"{name} and {source.name} hold records of trial {record.trial_id} that differ and claim "
                    f"to be the same attempt {record.attempt}: one of them was changed. Leave it out"
                )
            if not machine_of(known.environment).facts:
                found[key] = (record, source.name)
    return {key: record for key, (record, _) in found.items()}


def _without_machine(record: Record) -> str:
    facts = {name: value for name, value in record.environment.items() if name not in HARDWARE}
    return record.model_copy(update={"environment": facts}).model_dump_json()


def _age(record: Record) -> tuple[float, str, str]:
    return record.finished, record.trial_id, record.attempt


def _say_the_same(records: Sequence[Record]) -> bool:
    """Whether the records only say, all of them, that the trial cannot run, for one reason."""
    told = {(record.status, record.reason) for record in records}
    return len(told) == 1 and records[0].status is Status.SKIPPED


def _conflict(conflicts: Sequence[tuple[Machine, list[Record]]], sources: Sequence[Source]) -> str:
    holders: dict[Attempt, list[str]] = {}
    for source in sources:
        for one in source.records:
            holders.setdefault((one.trial_id, one.attempt), []).append(source.name)
    lines = [f"{len(conflicts)} trials have several records of one machine that differ:"]
    for machine, records in conflicts[:MOST_CONFLICTS]:
        lines.append(f"  {records[0].trial.label} [{records[0].trial_id}] on {machine.name}:")
        lines += [
            f"    {_described(one)} in {', '.join(holders[one.trial_id, one.attempt])}" for one in records
        ]
    if len(conflicts) > MOST_CONFLICTS:
        lines.append(f"  and {len(conflicts) - MOST_CONFLICTS} more")
    lines.append(
        "give --keep newest to go by the newest and leave the others out, or --keep all to keep the others in "
        "the journal as replaced"
    )
    return "\n".join(lines)


def _described(record: Record) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(max(0.0, record.finished)))
    value = record.scalars.get(f"test/{record.primary}")
    figure = "" if value is None else f", {record.primary} {value:.6g}"
    return f"attempt {record.attempt}: {record.status}{figure}, {when} UTC"
