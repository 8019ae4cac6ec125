"""Source: a study that is merged, as it was when it was read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchsuite.analysis.machines import Machine, latest_by_machine, machines_of
from benchsuite.contracts import Damage
from benchsuite.running.store import MERGED, StudyStore
from benchsuite.running.study.asked import Asked, read_asked
from benchsuite.schema import Record


@dataclass(frozen=True)
class Source:
    """A study that is merged.

    name     what messages call it
    records  all that its journal holds, oldest first; each has an attempt and says which machine it ran on
    files    (trial id, attempt) -> the attempt in the names of its files, of the records whose files are read
    damage   lines of its journal that are no records
    """

    name: str
    folder: Path
    description: dict[str, Any] = field(repr=False)
    records: tuple[Record, ...] = field(repr=False)
    files: dict[tuple[str, str], str] = field(repr=False)
    damage: tuple[Damage, ...] = ()

    @property
    def asked(self) -> list[Asked]:
        return read_asked(self.description)

    @property
    def shards(self) -> str:
        """`3/16`, or "" for a study that is no shard, or was merged."""
        merged = MERGED in self.description
        return "" if merged else ", ".join(one.shard for one in self.asked if one.shard)

    @property
    def machines(self) -> list[Machine]:
        """Where its records were made."""
        return list(dict.fromkeys(machines_of(self.records)))

    @property
    def origins(self) -> list[dict[str, Any]]:
        """What study.json of the merged study says of where its records come from: this study, or those that
        were merged to it."""
        own = self.description.get(MERGED)
        if isinstance(own, list) and all(isinstance(one, dict) for one in own):
            return own
        return [
            {
                "name": str(self.description.get("name", self.folder.name)),
                "id": str(self.description.get("id", self.name)),
                "shard": self.shards,
                "machines": [machine.name for machine in self.machines],
                "records": len(self.records),
                "damage": [one.sentence(self.name) for one in self.damage],
            }
        ]


def read_source(name: str, folder: Path) -> Source:
    """Read a study. Raises StoreError for a folder that is none."""
    store = StudyStore.open(folder)
    records, damage = store.history()
    home = store.home
    current = {id(record) for record in latest_by_machine(records, home).values()}
    made: list[Record] = []
    files: dict[tuple[str, str], str] = {}
    for record, machine in zip(records, machines_of(records, home), strict=True):
        kept = _complete(record, machine)
        made.append(kept)
        if id(record) in current:
            files[kept.trial_id, kept.attempt] = record.attempt
    return Source(name, folder, store.description(), tuple(made), files, tuple(damage))


def _complete(record: Record, machine: Machine) -> Record:
    """The record with what it needs among those of other machines: where it ran, and an attempt. Both follow
    from the study alone, so that reading it twice gives equal records."""
    update: dict[str, Any] = {}
    if not record.attempt:
        update["attempt"] = hashlib.sha256(record.model_dump_json().encode()).hexdigest()[:8]
    if not set(dict(machine.facts)) <= set(record.environment):
        update["environment"] = record.environment | dict(machine.facts)
    return record.model_copy(update=update) if update else record
